// SPDX-License-Identifier: Apache-2.0
// A rule in rte_flow's words (doc/guides/prog_guide/rte_flow.rst).
#pragma once

#include <array>
#include <vector>

#include <rte_flow.h>

#include "vswitch/offload/flow_rule.h"

namespace bulkhead {

/// Attributes, pattern and actions, which point into this object: it stays where it is.
class FlowWords {
  public:
    /// For a device with so many receive queues.
    FlowWords(const FlowRule& rule, const FlowShape& shape, std::uint16_t queues);
    FlowWords(const FlowWords&) = delete;
    FlowWords& operator=(const FlowWords&) = delete;

    [[nodiscard]] const rte_flow_attr* attributes() const { return &attributes_; }
    [[nodiscard]] const rte_flow_item* pattern() const { return pattern_.data(); }
    [[nodiscard]] const rte_flow_action* actions() const { return actions_.data(); }

  private:
    void match_outer(const FlowRule& rule);
    void match_tunnel(const FlowRule& rule);
    void act(const FlowRule& rule, const FlowShape& shape, std::uint16_t queues);
    void add(rte_flow_item_type type, const void* spec, const void* mask);
    void add(rte_flow_action_type type, const void* configuration = nullptr);

    template <typename Item>
    struct Matched {
        Item spec{}, mask{};
    };

    rte_flow_attr attributes_{};
    std::vector<rte_flow_item> pattern_;
    std::vector<rte_flow_action> actions_;
    Matched<rte_flow_item_eth> eth_;
    Matched<rte_flow_item_vlan> vlan_;
    Matched<rte_flow_item_ipv4> ipv4_;
    Matched<rte_flow_item_ipv6> ipv6_;
    Matched<rte_flow_item_udp> udp_;
    Matched<rte_flow_item_vxlan> vxlan_;
    Matched<rte_flow_item_geneve> geneve_;
    rte_flow_action_mark mark_{};
    rte_flow_action_count count_{};
    rte_flow_action_queue queue_{};
    rte_flow_action_rss rss_{};
    std::vector<std::uint16_t> queues_;
};

}  // namespace bulkhead
