// SPDX-License-Identifier: Apache-2.0
// What other nodes send to pods here, as the NIC hands it over: VXLAN over IPv4, with the marks of a NIC that has
// matched it, or without. See traffic.h.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <rte_mbuf.h>
#include <rte_memcpy.h>

#include "perf/rig/frame.h"
#include "perf/rig/random.h"
#include "perf/rig/source.h"
#include "perf/rig/station.h"
#include "vswitch/offload/flow_mark.h"
#include "vswitch/overlay/outer_header.h"

namespace bulkhead::rig {

inline constexpr std::uint64_t kNicMac = 0x0200'0000'00aaULL;
inline constexpr std::uint32_t kFirstVni = 100;

/// Nodes, each with one station in each segment.
struct Overlay {
    std::uint32_t nodes = 1, segments = 1;
};
[[nodiscard]] inline IpAddress node_address(std::uint32_t node) {
    return IpAddress::parse("10.0." + std::to_string(1 + node / 200) + "." + std::to_string(1 + node % 200)).value();
}
[[nodiscard]] inline IpAddress own_address() {
    return IpAddress::parse("10.0.0.1").value();
}

/// A whole frame, and what the NIC says of it.
class TunnelFrame {
  public:
    static constexpr std::uint16_t kOuter = kEthernetHeader + kIpv4Header + kUdpHeader + kShimHeader;
    static constexpr std::uint16_t kBytes = kOuter + kFrameBytes;
    struct Header {
        const std::uint8_t* octets = nullptr;
        FlowMark mark = kNoMark;
    };

    void write(rte_mbuf* frame, const Header& header) const noexcept {
        frame->data_len = kBytes;
        frame->pkt_len = kBytes;
        rte_memcpy(rte_pktmbuf_mtod(frame, void*), header.octets, kBytes);
        if (header.mark == kNoMark) return;
        frame->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
        frame->hash.fdir.hi = header.mark;
    }
};

/// From a random node in a random segment to the pod there, which is station 0 of side 1 + segment.
class TunnelTraffic {
  public:
    using Frame = TunnelFrame;
    /// By node and segment; empty: the NIC has matched nothing.
    using Marks = std::shared_ptr<std::vector<FlowMark>>;

    TunnelTraffic(Overlay overlay, Marks marks) : overlay_(overlay), marks_(std::move(marks)), random_(1) {
        for (std::uint32_t node = 0; node < overlay.nodes; ++node)
            for (std::uint32_t segment = 0; segment < overlay.segments; ++segment) add(node, segment);
    }

    [[nodiscard]] std::uint32_t stations() const noexcept { return overlay_.nodes * overlay_.segments; }
    [[nodiscard]] TunnelFrame::Header introduction(std::uint32_t number) const noexcept {
        return {frames_[number].data(), marks_->empty() ? kNoMark : (*marks_)[number]};
    }
    [[nodiscard]] TunnelFrame::Header next() noexcept { return introduction(below(random_.next(), stations())); }

  private:
    void add(std::uint32_t node, std::uint32_t segment) {
        const Tunnel back{.remote = own_address(), .dst_port = kVxlanPort};
        const OuterHeader outer = OuterHeader::build(back, {.source = MacAddress(0x0200'0000'00bbULL),
                                                            .vlan = std::nullopt,
                                                            .local = node_address(node),
                                                            .remote = own_address()});
        static const rig::Frame<false> kInner;
        std::array<std::uint8_t, OuterHeader::kRoom + kFrameBytes> room{};
        std::uint8_t* const inner = room.data() + OuterHeader::kRoom;
        kInner.copy_to(
            inner, {station_mac(static_cast<std::uint8_t>(1 + segment), segment, 0), station_mac(0, segment, node), 0});
        write_outer(
            outer, inner,
            {.destination = kNicMac, .frame_length = kFrameBytes, .vni = kFirstVni + segment, .flow_hash = node});
        std::memcpy(frames_.emplace_back().data(), inner - TunnelFrame::kOuter, TunnelFrame::kBytes);
    }

    Overlay overlay_;
    Marks marks_;
    Random random_;
    std::vector<std::array<std::uint8_t, TunnelFrame::kBytes>> frames_;
};

class NicSource final : public TrafficSource<TunnelTraffic> {
  public:
    using TrafficSource::TrafficSource;
    [[nodiscard]] PortState state() const override { return {.link_up = true, .mac = MacAddress(kNicMac).to_string()}; }
};

}  // namespace bulkhead::rig
