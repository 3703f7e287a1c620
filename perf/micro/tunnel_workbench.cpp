// SPDX-License-Identifier: Apache-2.0
#include "perf/micro/tunnel_workbench.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include <rte_mbuf.h>

#include "vswitch/model/snapshot_builder.h"
#include "vswitch/overlay/flow_hash.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead::perf {
namespace {

constexpr std::uint16_t kFrame = 60;
constexpr std::uint32_t kVni = 100;
constexpr std::uint64_t kPodSide = 0x02, kRemoteSide = 0x06;  ///< first octets: locally administered, unicast
constexpr std::uint64_t kOwnMac = 0x0200'0000'00aaULL, kNextHopMac = 0x0200'0000'00bbULL;

std::uint64_t station(std::uint64_t side, std::uint64_t pair) {
    return side << 40 | pair;
}

IpAddress address(std::uint32_t host) {
    return IpAddress::parse("10.0." + std::to_string(host >> 8) + "." + std::to_string(host & 0xff)).value();
}
IpAddress own_address() {
    return address(1);
}
IpAddress remote_address(std::uint32_t remote) {
    return address(0x100 + remote);
}

std::string tunnel_name(std::uint32_t remote) {
    return "n" + std::to_string(remote);
}

/// What the node at the tunnel's other end puts in front of its frames.
OuterHeader header_from(const Tunnel& tunnel) {
    Tunnel back = tunnel;
    back.remote = own_address();
    return OuterHeader::build(
        back,
        {.source = MacAddress(kNextHopMac), .vlan = std::nullopt, .local = tunnel.remote, .remote = own_address()});
}

}  // namespace

TunnelWorkbench::TunnelWorkbench(TunnelType type, std::uint32_t remotes, std::uint32_t pairs)
    : macs(MacTable::create(1U << 20)), type_(type), remotes_(remotes), pairs_(pairs) {
    build();
    learn();
    if (rte_pktmbuf_alloc_bulk(buffers(), frames_.data(), Batch::kCapacity) != 0) std::abort();
}

TunnelWorkbench::~TunnelWorkbench() {
    rte_pktmbuf_free_bulk(frames_.data(), Batch::kCapacity);
}

void TunnelWorkbench::build() {
    nic_.mac = MacAddress(kOwnMac).to_string();
    Model model;
    model.segments["blue"] = {.name = "blue", .vni = kVni};
    model.ports["pod"] = {.name = "pod"};
    model.ports["pod"].attachments.push_back({.vlan = std::nullopt, .segment = "blue"});
    model.ports["nic"] = {.name = "nic"};
    Underlay underlay{.name = "u0", .port = "nic"};
    underlay.addresses = {IpPrefix::parse("10.0.0.1/16").value()};
    model.underlays["u0"] = underlay;
    for (std::uint32_t remote = 0; remote < remotes_; ++remote) {
        const std::string name = tunnel_name(remote);
        model.tunnels[name] = {.name = name,
                               .type = type_,
                               .underlay = "u0",
                               .remote = remote_address(remote),
                               .segments = {"blue"},
                               .dst_port = type_ == TunnelType::vxlan ? kVxlanPort : kGenevePort};
        from_remotes_.push_back(header_from(model.tunnels[name]));
    }
    const std::map<std::string, PortIo*> open{{"pod", &pod_}, {"nic", &nic_}};
    snapshot =
        build_snapshot(model, open, {{"pod", {0}}, {"nic", {0}}}, 1, indices_, policies, limiters, mirrors).value();
    snapshot->number = 1;
    for (const PortEntry& port : snapshot->ports)
        if (port.tunnel) next_hops.set_known(port.tunnel->next_hop, MacAddress(kNextHopMac));
}

void TunnelWorkbench::learn() {
    const SegmentIndex segment = *indices_.segments.find("blue");
    const AttachmentIndex pod = snapshot->ports[*indices_.ports.find("pod")].untagged;
    macs->reserve(2UL * pairs_);
    MacTable::WriteGuard guard(*macs);
    for (std::uint32_t pair = 0; pair < pairs_; ++pair) {
        const std::string tunnel = port_name_of_tunnel(tunnel_name(pair % remotes_));
        guard.learn(mac_key(segment, station(kPodSide, pair)), pod, UINT32_MAX);
        guard.learn(mac_key(segment, station(kRemoteSide, pair)), *indices_.attachments.find({tunnel, "blue", 0}),
                    UINT32_MAX);
    }
}

/// UDP over IPv4 between two stations; nothing looks at its checksums.
void TunnelWorkbench::write_inner(rte_mbuf* frame, std::uint64_t destination, std::uint64_t source,
                                  std::uint32_t pair) {
    rte_pktmbuf_reset(frame);
    frame->data_len = kFrame;
    frame->pkt_len = kFrame;
    auto* data = rte_pktmbuf_mtod(frame, std::uint8_t*);
    std::memset(data, 0, kFrame);
    store_mac(data, destination);
    store_mac(data + 6, source);
    store_big_endian16(data + kMacPair, kEtherTypeIpv4);
    std::uint8_t* const ip = data + kEthernetHeader;
    ip[0] = 0x45;
    store_big_endian16(ip + 2, kFrame - kEthernetHeader);
    ip[9] = kProtocolUdp;
    std::memcpy(ip + 12, &pair, sizeof pair);
    std::memcpy(ip + 16, &pair, sizeof pair);
}

void TunnelWorkbench::receive(PortIndex port) {
    batch.port = port;
    batch.count = Batch::kCapacity;
    batch.frames = frames_;
}

void TunnelWorkbench::receive_from_pod() {
    for (rte_mbuf* frame : frames_) {
        const std::uint32_t pair = random_pair();
        write_inner(frame, station(kRemoteSide, pair), station(kPodSide, pair), pair);
    }
    receive(*indices_.ports.find("pod"));
}

void TunnelWorkbench::receive_from_underlay() {
    for (rte_mbuf* frame : frames_) {
        const std::uint32_t pair = random_pair();
        write_inner(frame, station(kPodSide, pair), station(kRemoteSide, pair), pair);
        auto* inner = rte_pktmbuf_mtod(frame, std::uint8_t*);
        const OuterHeader& header = from_remotes_.at(pair % remotes_);
        write_outer(
            header, inner,
            {.destination = kOwnMac, .frame_length = kFrame, .vni = kVni, .flow_hash = flow_hash(inner, kFrame)});
        rte_pktmbuf_prepend(frame, header.length);
    }
    receive(*indices_.ports.find("nic"));
}

void TunnelWorkbench::receive_marked() {
    receive_from_underlay();
    for (rte_mbuf* frame : frames_) {
        // The pair is in the inner frame's address.
        std::uint32_t pair = 0;
        std::memcpy(&pair, rte_pktmbuf_mtod(frame, std::uint8_t*) + frame->pkt_len - kFrame + kEthernetHeader + 12,
                    sizeof pair);
        const std::string tunnel = port_name_of_tunnel(tunnel_name(pair % remotes_));
        frame->hash.fdir.hi = snapshot->marks[*indices_.attachments.find({tunnel, "blue", 0})].mark;
        frame->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
    }
}

}  // namespace bulkhead::perf
