// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/firewall.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "perf/rig/flow_traffic.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::rig {
namespace {

constexpr const char* kPods = "pods";

class Rules {
  public:
    Rules(Model& model, std::string segment) : model_(model), segment_(std::move(segment)) {}

    Policy& add(PolicyAction action) {
        const auto order = static_cast<std::uint32_t>(model_.policies.size());
        const std::string name = "r" + std::to_string(order);
        Policy& rule = model_.policies[{segment_, name}];
        rule = {.segment = segment_, .name = name, .order = order, .action = action};
        return rule;
    }

  private:
    Model& model_;
    std::string segment_;
};

IpPrefix network(std::string_view text) {
    return IpPrefix::parse(text).value();
}

void add_rules(Rules rules) {
    using enum PolicyAction;
    for (const char* bad : {"172.16.0.0/18", "180.17.64.0/19", "188.18.128.0/20"})
        rules.add(deny).from.ips = {network(bad)};
    for (const std::uint16_t port : std::array<std::uint16_t, 2>{135, 137}) {
        Policy& bad = rules.add(deny);
        bad.protocol = kProtocolUdp;
        bad.dst_ports = {{port, port}};
    }
    for (std::uint16_t at = 0; at < 4; ++at) {
        const auto port = static_cast<std::uint16_t>(8000 + at);
        Policy& web = rules.add(allow);
        web.from.groups = {kPods};
        web.to.ips = {network("10." + std::to_string(at) + ".0.0/" + std::to_string(16 + at))};
        web.protocol = kProtocolTcp;
        web.dst_ports = {{port, port}};
    }
    Policy& services = rules.add(allow);
    services.from.groups = {kPods};
    services.to.ips = {network("10.0.0.0/9")};
    services.protocol = kProtocolUdp;
    for (const std::uint16_t port : kServices) services.dst_ports.push_back({port, port});
}

}  // namespace

void add_firewall(Model& model, const std::string& segment) {
    model.segments.at(segment).default_policy = DefaultPolicy::deny;
    model.groups[{segment, kPods}] = {.segment = segment, .name = kPods, .id = 1};
    for (auto& [name, port] : model.ports)
        for (Attachment& attachment : port.attachments) attachment.group = kPods;
    add_rules({model, segment});
}

}  // namespace bulkhead::rig
