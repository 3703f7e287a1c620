// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/policy_spec.h"

#include <algorithm>
#include <netinet/in.h>
#include <span>
#include <utility>

#include "control/policy_import/opening.h"
#include "control/policy_import/selector_json.h"
#include "vswitch/model/checks.h"

namespace bulkhead::policy_import {
namespace {

using enum api::JsonType;
using nlohmann::json;

constexpr api::Field kSpec[] = {
    {.name = "podSelector", .type = object, .required = true, .help = "a label selector; {} selects all pods"},
    {.name = "policyTypes", .type = array, .help = "Ingress, Egress"},
    {.name = "ingress", .type = array, .help = "what may come in", .items = object},
    {.name = "egress", .type = array, .help = "what may go out", .items = object},
};
constexpr api::Field kIngressRule[] = {
    {.name = "from", .type = array, .help = "peers", .items = object},
    {.name = "ports", .type = array, .help = "ports", .items = object},
};
constexpr api::Field kEgressRule[] = {
    {.name = "to", .type = array, .help = "peers", .items = object},
    {.name = "ports", .type = array, .help = "ports", .items = object},
};
constexpr api::Field kPeer[] = {
    {.name = "podSelector", .type = object, .help = "a label selector"},
    {.name = "namespaceSelector", .type = object, .help = "a label selector"},
    {.name = "ipBlock", .type = object, .help = "addresses"},
};
constexpr api::Field kIpBlock[] = {
    {.name = "cidr", .type = string, .required = true, .help = "like 10.0.0.0/8 or 2001:db8::/32"},
    {.name = "except", .type = array, .help = "networks inside it that do not count"},
};
constexpr api::Field kPort[] = {
    {.name = "protocol", .type = string, .default_json = R"("TCP")", .help = "TCP, UDP or SCTP"},
    {.name = "port", .type = any, .help = "a number"},
    {.name = "endPort", .type = integer, .help = "the last of a range"},
};
constexpr config::EnumName<std::uint8_t> kProtocols[] = {
    {IPPROTO_TCP, "TCP"}, {IPPROTO_UDP, "UDP"}, {IPPROTO_SCTP, "SCTP"}};

constexpr std::uint64_t kMaxPort = 65535;

Result<Traffic> decode_port(const json& object) {
    config::ObjectReader reader(object, kPort, "a port");
    Traffic traffic{.ports = kEveryPort};
    traffic.protocol = reader.ok() ? reader.choice("protocol", kProtocols) : std::uint8_t{};
    if (reader.has("port") && reader.value("port")->is_string())
        reader.refuse("port", "is a name, and a switch knows no containers' ports",
                      config::shown(*reader.value("port")), "a number, 1-65535");
    if (const auto first = reader.optional_number("port", 1, kMaxPort)) {
        const auto last = reader.optional_number("endPort", *first, kMaxPort).value_or(*first);
        traffic.ports = {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(last)};
    } else if (reader.has("endPort")) {
        reader.refuse("endPort", "stands without port", config::shown(*reader.value("endPort")), "port, too");
    }
    return reader.finish(traffic);
}

Result<Networks> decode_ip_block(const json& object) {
    config::ObjectReader reader(object, kIpBlock, "an ipBlock");
    const auto network = IpPrefix::parse(reader.text("cidr"));
    if (!network)
        reader.refuse("cidr", "is no network in CIDR notation", in_quotes(reader.text("cidr")),
                      "like 10.0.0.0/8 or 2001:db8::/32");
    const auto holes = reader.prefixes("except");
    for (std::size_t at = 0; reader.ok() && at < holes.size(); ++at)
        if (holes[at].length <= network->length || !is_inside(holes[at], *network))
            reader.refuse(refused("/except/" + std::to_string(at), "is no part of cidr",
                                  in_quotes(holes[at].to_string()), "a smaller network inside " + network->to_string())
                              .error());
    return reader.finish(reader.ok() ? without(*network, holes) : Networks());
}

Result<Peer> decode_peer(const json& object) {
    config::ObjectReader reader(object, kPeer, "a peer");
    const Peer peer{.pods = decode_inside(reader, "podSelector", decode_selector),
                    .namespaces = decode_inside(reader, "namespaceSelector", decode_selector),
                    .ips = decode_inside(reader, "ipBlock", decode_ip_block)};
    const bool has_selector = reader.has("podSelector") || reader.has("namespaceSelector");
    constexpr const char* kAllowed = "podSelector, namespaceSelector or both, or ipBlock";
    if (reader.ok() && has_selector && peer.ips)
        reader.refuse("ipBlock", "stands beside a selector", config::shown(object.at("ipBlock")), kAllowed);
    if (reader.ok() && !has_selector && !peer.ips)
        reader.refuse(invalid("", "a peer must name somebody", config::shown(object), kAllowed).error());
    return reader.finish(peer);
}

Result<NetworkPolicyRule> decode_rule(const json& object, std::span<const api::Field> fields) {
    config::ObjectReader reader(object, fields, "a rule");
    NetworkPolicyRule rule;
    if (auto peers = decode_list_inside(reader, fields.front().name, decode_peer)) rule.peers = std::move(*peers);
    if (auto traffic = decode_list_inside(reader, "ports", decode_port)) rule.traffic = std::move(*traffic);
    return reader.finish(std::move(rule));
}

Result<NetworkPolicyRule> decode_ingress_rule(const json& object) {
    return decode_rule(object, kIngressRule);
}
Result<NetworkPolicyRule> decode_egress_rule(const json& object) {
    return decode_rule(object, kEgressRule);
}

}  // namespace

Result<NetworkPolicy> decode_spec(const json& object) {
    config::ObjectReader reader(object, kSpec, "a policy's spec");
    NetworkPolicy policy;
    if (auto pods = decode_inside(reader, "podSelector", decode_selector)) policy.pods = std::move(*pods);
    policy.ingress = decode_list_inside(reader, "ingress", decode_ingress_rule);
    policy.egress = decode_list_inside(reader, "egress", decode_egress_rule);
    // Without policyTypes every policy speaks of ingress, and of egress if it has rules for that.
    const auto types = reader.texts("policyTypes");
    for (std::size_t at = 0; at < types.size(); ++at)
        if (types[at] != "Ingress" && types[at] != "Egress")
            reader.refuse(refused("/policyTypes/" + std::to_string(at), "is none of those allowed",
                                  in_quotes(types[at]), "Ingress or Egress")
                              .error());
    const auto names = [&](const char* type) { return std::ranges::find(types, type) != types.end(); };
    const bool is_ingress = types.empty() || names("Ingress");
    const bool is_egress = types.empty() ? policy.egress && !policy.egress->empty() : names("Egress");
    using Rules = std::vector<NetworkPolicyRule>;
    policy.ingress = is_ingress ? std::optional(policy.ingress.value_or(Rules())) : std::nullopt;
    policy.egress = is_egress ? std::optional(policy.egress.value_or(Rules())) : std::nullopt;
    return reader.finish(std::move(policy));
}

}  // namespace bulkhead::policy_import
