// SPDX-License-Identifier: Apache-2.0
// What a NIC could do for us, as plain values: pmd/flow says it in rte_flow's words.
#pragma once

#include <cstdint>

#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"
#include "vswitch/offload/flow_mark.h"

namespace bulkhead {

/// A rule on the NIC of an underlay, for frames out of tunnels.
struct FlowRule {
    enum class Kind : std::uint8_t {
        tunnel,       ///< of one peer in one VNI: to our receive queues, with a mark
        unknown_vni,  ///< of anybody in any other VNI: to be dropped. Asked after all others
    };
    Kind kind = Kind::tunnel;
    TunnelType type = TunnelType::vxlan;
    std::uint64_t destination_mac = 0;
    std::uint16_t vlan = 0;      ///< of the underlay; 0: untagged
    std::uint16_t udp_port = 0;  ///< where the frames go
    IpAddress local, remote;     ///< outer destination and source; unknown_vni: from anywhere
    std::uint32_t vni = 0;
    FlowMark mark = kNoMark;  ///< kNoMark: none

    auto operator<=>(const FlowRule&) const = default;
};

/// How much of a rule is asked of the device.
struct FlowShape {
    enum class Fate : std::uint8_t {
        inner_rss,  ///< spread over all receive queues by what the tunnel carries
        outer_rss,  ///< by the outer header, whose UDP source port is the sender's flow
        queue,      ///< all frames of a rule to one queue
        drop,
    };
    Fate fate = Fate::inner_rss;
    bool counts = true;

    bool operator==(const FlowShape&) const = default;
};

struct FlowHits {
    std::uint64_t packets = 0, bytes = 0;
};

}  // namespace bulkhead
