// SPDX-License-Identifier: Apache-2.0
#include "control/methods/verification_json.h"

#include <algorithm>

#include "control/config/object_json.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

// As rules show them.
json shown_ethertype(std::uint16_t ethertype) {
    Policy rule;
    rule.ethertype = ethertype;
    return config::encode(rule)["ethertype"];
}
json shown_protocol(std::uint8_t protocol) {
    Policy rule;
    rule.protocol = protocol;
    return config::encode(rule)["protocol"];
}
json shown_mac(const MacAddress& mac) {
    return mac.to_string();
}

/// As `name`, or as `name`_except; not at all if it is every one.
template <typename Value>
void add_choice(json& shown, const std::string& name, const Choice<Value>& choice, json (*show)(Value)) {
    if (choice.items.empty()) return;
    json items = json::array();
    for (const Value& item : choice.items) items.push_back(show(item));
    shown[choice.all_but ? name + "_except" : name] = std::move(items);
}

template <typename List>
void add_list(json& shown, const char* name, const List& list) {
    if (!list.empty()) shown[name] = list;
}

json shown_ports(const std::vector<PortRange>& ports) {
    json shown = json::array();
    for (const PortRange& range : ports) shown.push_back(to_string(range));
    return shown;
}

json shown_traffic(const Traffic& traffic) {
    json shown = json::object();
    add_choice<std::uint16_t>(shown, "ethertypes", traffic.ethertypes, shown_ethertype);
    add_choice<std::uint8_t>(shown, "protocols", traffic.protocols, shown_protocol);
    add_list(shown, "icmp_types", traffic.icmp_types);
    add_list(shown, "sources", traffic.sources);
    add_list(shown, "destinations", traffic.destinations);
    add_list(shown, "src_ports", shown_ports(traffic.src_ports));
    add_list(shown, "dst_ports", shown_ports(traffic.dst_ports));
    add_choice<MacAddress>(shown, "source_macs", traffic.source_macs, [](MacAddress mac) { return shown_mac(mac); });
    add_choice<MacAddress>(shown, "destination_macs", traffic.destination_macs,
                           [](MacAddress mac) { return shown_mac(mac); });
    if (!traffic.opens) shown["opens"] = false;
    return shown;
}

class Encoder {
  public:
    explicit Encoder(const VerificationNames& names) : names_(names) {}

    json pair(const VerifiedPair& pair) const {
        json differences = json::array();
        for (const Difference& difference : pair.differences) differences.push_back(shown(difference));
        json shown = {{"from", pair.from.to_string()},         {"to", pair.to.to_string()},
                      {"reachable", pair.reachable},           {"intended", pair.intended},
                      {"allowed", allowed(pair.allowed)},      {"allowed_by_intent", allowed(pair.meant)},
                      {"differences", std::move(differences)}, {"complete", pair.incomplete.empty()}};
        if (!pair.incomplete.empty()) shown["why_incomplete"] = pair.incomplete;
        if (pair.allowed_left_out != 0) shown["allowed_left_out"] = pair.allowed_left_out;
        if (pair.meant_left_out != 0) shown["allowed_by_intent_left_out"] = pair.meant_left_out;
        return shown;
    }

  private:
    static json name_or_null(const std::string& name, const std::function<bool(const std::string&)>& may_see) {
        return name.empty() || !may_see(name) ? json() : json(name);
    }
    json allowed(const std::vector<Traffic>& list) const {
        json shown = json::array();
        for (const Traffic& traffic : list) {
            json item = shown_traffic(traffic);
            item["rule"] = name_or_null(traffic.verdict.rule, names_.rule);
            if (!traffic.verdict.via.empty()) item["via"] = name_or_null(traffic.verdict.via, names_.port);
            shown.push_back(std::move(item));
        }
        return shown;
    }
    json shown(const Verdict& verdict) const {
        json shown = {{"action", verdict.passes ? verdict.via.empty() ? "allow" : "redirect" : "deny"},
                      {"ground", verdict.ground},
                      {"rule", name_or_null(verdict.rule, names_.rule)}};
        if (!verdict.via.empty()) shown["to_port"] = name_or_null(verdict.via, names_.port);
        if (!verdict.why.empty()) shown["why"] = verdict.why;
        return shown;
    }
    json shown(const Difference& difference) const {
        json traffic = json::array();
        for (const Traffic& item : difference.traffic) traffic.push_back(shown_traffic(item));
        json shown = {{"traffic", std::move(traffic)},
                      {"installed", this->shown(difference.installed)},
                      {"intended", this->shown(difference.intended)},
                      {"fields", fields_of(difference)}};
        if (difference.left_out != 0) shown["traffic_left_out"] = difference.left_out;
        return shown;
    }
    /// As policy.explain takes them.
    static json fields_of(const Difference& difference) {
        const FlowFields& flow = difference.sample;
        json fields = {{"ethertype", shown_ethertype(flow.ethertype)},
                       {"from_group", difference.from_group},
                       {"to_group", difference.to_group},
                       {"source_mac", flow.source_mac.to_string()},
                       {"destination_mac", flow.destination_mac.to_string()}};
        if (flow.ethertype != kEtherTypeIpv4 && flow.ethertype != kEtherTypeIpv6) return fields;
        fields["protocol"] = shown_protocol(flow.protocol);
        if (flow.source) fields["source"] = flow.source->to_string();
        if (flow.destination) fields["destination"] = flow.destination->to_string();
        const bool has_ports =
            flow.protocol == kProtocolTcp || flow.protocol == kProtocolUdp || flow.protocol == kProtocolSctp;
        if (has_ports) {
            fields["source_port"] = flow.source_port;
            fields["destination_port"] = flow.destination_port;
        }
        if (flow.protocol == kProtocolTcp) fields["tcp_flags"] = flow.tcp_flags == kTcpSyn ? "S" : "A";
        if (flow.protocol == kProtocolIcmp || flow.protocol == kProtocolIcmpv6) fields["icmp_type"] = flow.icmp_type;
        return fields;
    }

    const VerificationNames& names_;
};

}  // namespace

json encode(const SegmentVerification& found, const VerificationNames& names) {
    const Encoder encoder(names);
    json pairs = json::array(), attachments = json::array();
    for (const VerifiedPair& pair : found.pairs) pairs.push_back(encoder.pair(pair));
    for (const VerifiedAttachment& attachment : found.attachments)
        attachments.push_back({{"attachment", attachment.name.to_string()}, {"differences", attachment.differences}});
    const bool is_complete =
        std::ranges::all_of(found.pairs, [](const VerifiedPair& pair) { return pair.incomplete.empty(); });
    return {{"pairs", std::move(pairs)},
            {"attachments", std::move(attachments)},
            {"segment_differences", found.differences},
            {"complete", is_complete}};
}

}  // namespace bulkhead::methods
