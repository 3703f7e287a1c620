// SPDX-License-Identifier: Apache-2.0
#include "pmd/flow/flow_words.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <rte_byteorder.h>
#include <rte_ethdev.h>

namespace bulkhead {
namespace {

constexpr std::uint32_t kAfterAllOthers = 1;
constexpr std::uint16_t kVlanId = 0x0fff;

void put_vni(std::uint8_t* octets, std::uint32_t vni) {
    octets[0] = static_cast<std::uint8_t>(vni >> 16);
    octets[1] = static_cast<std::uint8_t>(vni >> 8);
    octets[2] = static_cast<std::uint8_t>(vni);
}

/// DPDK's headers are packed: their fields have addresses, but no references.
void put_v4(void* field, void* mask, const IpAddress& address) {
    std::memcpy(field, address.v4_octets(), 4);
    std::memset(mask, 0xff, 4);
}
template <typename Field>
void put_v6(Field& field, Field& mask, const IpAddress& address) {
    std::ranges::copy(address.octets(), field);
    std::ranges::fill(mask, 0xff);
}

}  // namespace

FlowWords::FlowWords(const FlowRule& rule, const FlowShape& shape, std::uint16_t queues) {
    attributes_.ingress = 1;
    attributes_.priority = rule.kind == FlowRule::Kind::unknown_vni ? kAfterAllOthers : 0;
    match_outer(rule);
    match_tunnel(rule);
    add(RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr);
    act(rule, shape, queues);
    add(RTE_FLOW_ACTION_TYPE_END);
}

void FlowWords::add(rte_flow_item_type type, const void* spec, const void* mask) {
    pattern_.push_back({.type = type, .spec = spec, .last = nullptr, .mask = mask});
}

void FlowWords::add(rte_flow_action_type type, const void* configuration) {
    actions_.push_back({.type = type, .conf = configuration});
}

void FlowWords::match_outer(const FlowRule& rule) {
    const auto mac = MacAddress(rule.destination_mac).octets();
    std::ranges::copy(mac, eth_.spec.hdr.dst_addr.addr_bytes);
    std::ranges::fill(eth_.mask.hdr.dst_addr.addr_bytes, 0xff);
    add(RTE_FLOW_ITEM_TYPE_ETH, &eth_.spec, &eth_.mask);
    if (rule.vlan != 0) {
        vlan_.spec.hdr.vlan_tci = rte_cpu_to_be_16(rule.vlan);
        vlan_.mask.hdr.vlan_tci = rte_cpu_to_be_16(kVlanId);
        add(RTE_FLOW_ITEM_TYPE_VLAN, &vlan_.spec, &vlan_.mask);
    }
    const bool has_source = rule.kind == FlowRule::Kind::tunnel;
    if (rule.local.is_v4()) {
        put_v4(&ipv4_.spec.hdr.dst_addr, &ipv4_.mask.hdr.dst_addr, rule.local);
        if (has_source) put_v4(&ipv4_.spec.hdr.src_addr, &ipv4_.mask.hdr.src_addr, rule.remote);
        add(RTE_FLOW_ITEM_TYPE_IPV4, &ipv4_.spec, &ipv4_.mask);
    } else {
        put_v6(ipv6_.spec.hdr.dst_addr, ipv6_.mask.hdr.dst_addr, rule.local);
        if (has_source) put_v6(ipv6_.spec.hdr.src_addr, ipv6_.mask.hdr.src_addr, rule.remote);
        add(RTE_FLOW_ITEM_TYPE_IPV6, &ipv6_.spec, &ipv6_.mask);
    }
    udp_.spec.hdr.dst_port = rte_cpu_to_be_16(rule.udp_port);
    udp_.mask.hdr.dst_port = UINT16_MAX;
    add(RTE_FLOW_ITEM_TYPE_UDP, &udp_.spec, &udp_.mask);
}

void FlowWords::match_tunnel(const FlowRule& rule) {
    const bool has_vni = rule.kind == FlowRule::Kind::tunnel;
    put_vni(vxlan_.spec.vni, rule.vni);
    put_vni(geneve_.spec.vni, rule.vni);
    std::ranges::fill(vxlan_.mask.vni, 0xff);
    std::ranges::fill(geneve_.mask.vni, 0xff);
    const bool is_vxlan = rule.type == TunnelType::vxlan;
    const auto type = is_vxlan ? RTE_FLOW_ITEM_TYPE_VXLAN : RTE_FLOW_ITEM_TYPE_GENEVE;
    const void* const spec = is_vxlan ? static_cast<const void*>(&vxlan_.spec) : &geneve_.spec;
    const void* const mask = is_vxlan ? static_cast<const void*>(&vxlan_.mask) : &geneve_.mask;
    add(type, has_vni ? spec : nullptr, has_vni ? mask : nullptr);
}

void FlowWords::act(const FlowRule& rule, const FlowShape& shape, std::uint16_t queues) {
    if (shape.fate != FlowShape::Fate::drop && rule.mark != kNoMark) {
        mark_.id = rule.mark;
        add(RTE_FLOW_ACTION_TYPE_MARK, &mark_);
    }
    if (shape.counts) add(RTE_FLOW_ACTION_TYPE_COUNT, &count_);
    switch (shape.fate) {
        case FlowShape::Fate::drop:
            add(RTE_FLOW_ACTION_TYPE_DROP);
            return;
        case FlowShape::Fate::queue:
            // The same one always, and another one for most other tunnels.
            queue_.index = static_cast<std::uint16_t>(slot_of(rule.mark) % queues);
            add(RTE_FLOW_ACTION_TYPE_QUEUE, &queue_);
            return;
        case FlowShape::Fate::inner_rss:
        case FlowShape::Fate::outer_rss:
            queues_.resize(queues);
            std::iota(queues_.begin(), queues_.end(), std::uint16_t{0});
            rss_.func = RTE_ETH_HASH_FUNCTION_DEFAULT;
            rss_.level = shape.fate == FlowShape::Fate::inner_rss ? 2 : 0;
            rss_.types = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
            rss_.queue_num = queues;
            rss_.queue = queues_.data();
            add(RTE_FLOW_ACTION_TYPE_RSS, &rss_);
            return;
    }
}

}  // namespace bulkhead
