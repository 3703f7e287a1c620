// SPDX-License-Identifier: Apache-2.0
#include "perf/micro/workbench.h"

#include <cstdlib>
#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::perf {
namespace {

constexpr std::uint16_t kFrame = 60;
constexpr std::uint64_t kFirstSide = 0x02, kSecondSide = 0x06;  ///< first octets: locally administered, unicast

std::string port_name(unsigned number) {
    return "port" + std::to_string(number);
}

}  // namespace

rte_mempool* buffers() {
    static rte_mempool* pool = rte_pktmbuf_pool_create("buffers", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) std::abort();
    return pool;
}

Workbench::Workbench(unsigned ports, std::uint32_t pairs, const std::function<void(Model&)>& configure)
    : macs(MacTable::create(1U << 20)), pairs_(pairs) {
    build(ports, configure);
    learn();
    if (rte_pktmbuf_alloc_bulk(buffers(), frames_.data(), Batch::kCapacity) != 0) std::abort();
    for (rte_mbuf* frame : frames_) {
        auto* data = reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(frame, kFrame));
        std::memset(data, 0, kFrame);
        data[kMacPair] = kEtherTypeIpv4 >> 8;
        const Ipv4Header ip{.total_length = kFrame - kEthernetHeader, .ttl = 64, .protocol = kProtocolUdp};
        std::memcpy(data + kEthernetHeader, &ip, sizeof ip);
    }
}

Workbench::~Workbench() {
    rte_pktmbuf_free_bulk(frames_.data(), Batch::kCapacity);
}

void Workbench::build(unsigned ports, const std::function<void(Model&)>& configure) {
    Model model;
    model.segments["blue"] = {.name = "blue", .vni = 100};
    std::map<std::string, PortIo*> open;
    QueuePlan plan;
    for (unsigned number = 0; number < ports; ++number) {
        Port port;
        port.name = port_name(number);
        port.attachments.push_back({.vlan = std::nullopt, .segment = "blue"});
        ports_.push_back(std::make_unique<SinkPort>());
        open[port.name] = ports_.back().get();
        plan[port.name] = {0};
        model.ports[port.name] = port;
    }
    if (configure) configure(model);
    Indices indices;
    snapshot = build_snapshot(model, open, plan, 1, indices, policies, limiters, mirrors).value();
    snapshot->number = 1;
}

void Workbench::learn() {
    const SegmentIndex segment = snapshot->attachments.front().segment;
    macs->reserve(2UL * pairs_);
    MacTable::WriteGuard guard(*macs);
    for (std::uint32_t pair = 0; pair < pairs_; ++pair) {
        guard.learn(mac_key(segment, station(kFirstSide, pair)), snapshot->ports[0].untagged, UINT32_MAX);
        guard.learn(mac_key(segment, station(kSecondSide, pair)), snapshot->ports[1].untagged, UINT32_MAX);
    }
}

/// From 10.0.0.0/16 and up to 10.128.0.0/16 and up, from port 1024 and up to ports 5000 to 5999.
void Workbench::write(std::uint64_t pair, std::uint16_t row) {
    auto* data = rte_pktmbuf_mtod(frames_[row], std::uint8_t*);
    store_mac(data, station(kSecondSide, pair));
    store_mac(data + 6, station(kFirstSide, pair));
    const auto number = static_cast<std::uint32_t>(pair);
    const BigEndian32 source(0x0a00'0000 + number), destination(0x0a80'0000 + number);
    std::memcpy(data + kEthernetHeader + offsetof(Ipv4Header, source), &source, sizeof source);
    std::memcpy(data + kEthernetHeader + offsetof(Ipv4Header, destination), &destination, sizeof destination);
    store_big_endian16(data + kEthernetHeader + kIpv4Header, static_cast<std::uint16_t>(1024 + number % 50'000));
    store_big_endian16(data + kEthernetHeader + kIpv4Header + 2, static_cast<std::uint16_t>(5000 + number % 1000));
}

void Workbench::receive_unicast() {
    for (std::uint16_t row = 0; row < Batch::kCapacity; ++row) {
        const std::uint64_t pair = random_() % pairs_;
        write(pair, row);
    }
    batch.port = 0;
    batch.count = Batch::kCapacity;
    batch.frames = frames_;
}

void Workbench::receive_broadcast() {
    receive_unicast();
    for (rte_mbuf* frame : frames_) store_mac(rte_pktmbuf_mtod(frame, std::uint8_t*), kBroadcast);
}

}  // namespace bulkhead::perf
