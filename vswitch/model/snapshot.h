// SPDX-License-Identifier: Apache-2.0
// What workers forward by: the model compiled into dense tables. Immutable once published; control builds a new one for
// every change. Learned state (MACs, counters) lives outside and survives it.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/fdb/ip_owners.h"
#include "vswitch/model/model.h"
#include "vswitch/offload/flow_mark.h"
#include "vswitch/overlay/entries.h"
#include "vswitch/policy/flow_ends.h"
#include "vswitch/security/station_rules.h"

namespace bulkhead {

class LinkCuts;
struct PortLimiter;
class PortIo;
struct MirrorTable;
struct SegmentPolicy;

struct alignas(16) AttachmentEntry {
    PortIndex port = kNoPort;
    SegmentIndex segment = kNoSegment;
    std::uint16_t vlan = 0;  ///< 0: untagged
    bool isolated : 1 = false;
    bool carries_tags : 1 = false;  ///< "tagged": "carry"
    bool keeps_tag : 1 = false;
    bool is_reachable : 1 = false;  ///< open, and not isolated: any frame of its segment without a tag may leave by it
    bool is_mesh : 1 = false;       ///< of a tunnel with "horizon": "mesh"
    // Of guarded segments, see SegmentEntry, only:
    bool leads_on : 1 = false;         ///< to other nodes: of a tunnel or a NIC port
    bool is_guarded_link : 1 = false;  ///< of a tunnel, which can be cut: see Snapshot::cuts
    bool is_middlebox : 1 = false;     ///< rules redirect to it: what it sends on is others'
    bool is_secured : 1 = false;       ///< what its station says of itself is checked: see Snapshot::station_rules
    bool trusts_groups : 1 = false;    ///< of a tunnel that may name its frames' groups
    std::uint16_t mtu = 0;             ///< of the segment
    PortIndex out_port = kNoPort;      ///< whose device sends what leaves by it: `port`, or the NIC under a tunnel
    std::uint32_t vni = 0;             ///< of the segment

    /// What look-up asks about, as one number: see EgressWord.
    [[nodiscard]] std::uint64_t egress_word() const noexcept {
        std::uint64_t word = 0;
        std::memcpy(&word, this, sizeof word);
        return word;
    }
};

/// Where the fields of an AttachmentEntry stand in its egress_word() (little-endian hosts, as all of DPDK's are that
/// we build for).
struct EgressWord {
    static constexpr std::uint64_t kPort = 0xffff;
    static constexpr std::uint64_t kSegment = 0xffffULL << 16;
    static constexpr std::uint64_t kVlan = 0xffffULL << 32;
    static constexpr std::uint64_t kReachable = 1ULL << 51;
    static constexpr std::uint64_t kMesh = 1ULL << 52;

    /// Of an attachment that is like an ingress, and has the tag that a frame came with.
    [[nodiscard]] static constexpr std::uint64_t of(PortIndex port, SegmentIndex segment, std::uint16_t vlan) noexcept {
        return port | static_cast<std::uint64_t>(segment) << 16 | static_cast<std::uint64_t>(vlan) << 32;
    }
};
static_assert(std::endian::native == std::endian::little);
static_assert(offsetof(AttachmentEntry, port) == 0 && offsetof(AttachmentEntry, segment) == 2 &&
              offsetof(AttachmentEntry, vlan) == 4 && offsetof(AttachmentEntry, mtu) == 8);
static_assert(sizeof(AttachmentEntry) == 16);

struct SegmentEntry {
    bool exists = false;
    std::uint16_t mtu = 0;
    std::uint32_t vni = 0;
    FloodMode flood = FloodMode::all;
    std::uint32_t mac_limit = 0;
    std::uint32_t mac_age_s = 0;
    std::shared_ptr<const SegmentPolicy> policy;  ///< null: everything may pass
    bool is_guarded = false;               ///< a spoke and another way to other nodes: it could be part of a ring
    std::vector<AttachmentIndex> members;  ///< attachments of open ports
};

using VlanTable = std::array<AttachmentIndex, kVlanIds>;

/// A port, or a tunnel that stands in for one.
struct PortEntry {
    PortIo* io = nullptr;  ///< null: the port does not exist or is not open. A tunnel's is that of its NIC
    AttachmentIndex untagged = kNoAttachment;
    std::unique_ptr<VlanTable> by_vlan;             ///< null: an access port
    std::vector<std::uint16_t> transmit_queue;      ///< by worker
    std::unique_ptr<const TunnelEntry> tunnel;      ///< null: not a tunnel
    std::unique_ptr<const UnderlayEntry> underlay;  ///< null: no underlay uses it
    std::shared_ptr<PortLimiter> limiter;           ///< null: its rates are not limited
};

struct ReceiveQueue {
    PortIndex port = kNoPort;
    std::uint16_t queue = 0;
};

struct Snapshot {
    std::uint64_t number = 0;                  ///< of its publication: tells one from the next at the same address
    std::vector<PortEntry> ports;              ///< by PortIndex
    std::vector<AttachmentEntry> attachments;  ///< by AttachmentIndex
    std::vector<SegmentEntry> segments;        ///< by SegmentIndex; 0 is never used, see mac_key()
    std::vector<std::vector<ReceiveQueue>> receive_queues;           ///< by worker
    IpOwners ip_owners;                                              ///< of the segments with arp_suppression
    std::vector<std::unique_ptr<const StationRules>> station_rules;  ///< by AttachmentIndex; null: not secured
    std::vector<GroupClass> group_classes;                           ///< by AttachmentIndex, if has_policies
    std::vector<GroupId> group_ids;                                  ///< by AttachmentIndex, if exchanges_groups
    std::vector<std::uint32_t> connection_shares;                    ///< by PortIndex, likewise
    std::vector<MarkEntry> marks;                                    ///< by AttachmentIndex
    std::shared_ptr<const MirrorTable> mirrors;                      ///< null: nothing is copied
    bool has_policies = false;                                       ///< some segment has a policy
    bool has_secured = false;                                        ///< some attachment is
    bool exchanges_groups = false;                                   ///< some tunnel has trust_groups
    bool has_guarded = false;                                        ///< some segment is guarded
    const LinkCuts* cuts = nullptr;                                  ///< not null if so

    /// Whether a source is only taken there if it is one of the attachment's own, so that none is ever learned.
    [[nodiscard]] bool binds_sources(AttachmentIndex attachment) const noexcept {
        return station_rules[attachment] && station_rules[attachment]->checks_macs();
    }
};

}  // namespace bulkhead
