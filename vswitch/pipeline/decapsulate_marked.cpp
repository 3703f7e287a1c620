// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/decapsulate_marked.h"

#include <cstring>

#include <rte_mbuf.h>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"
#include "vswitch/pipeline/strip_outer.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kAfterIp = kIpv4Header + kUdpHeader + kShimHeader;

void read_groups(Batch& batch, const Snapshot& snapshot, const Batch::Column<const std::uint8_t*>& data) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const AttachmentIndex ingress = batch.ingress[row];
        const MarkEntry& entry = snapshot.marks[ingress];
        const std::uint8_t* const shim = data[row] + entry.ip + kIpv4Header + kUdpHeader;
        const bool is_believed = snapshot.attachments[ingress].trusts_groups;
        batch.group[row] = is_believed ? read_group(entry.group_field, shim) : kNoGroupId;
    }
}

/// Of a frame without a mark, which no entry has: kNoMark.
FlowMark mark_of(const rte_mbuf& frame) noexcept {
    return (frame.ol_flags & RTE_MBUF_F_RX_FDIR_ID) != 0 ? frame.hash.fdir.hi : kNoMark;
}

/// 0 if the header is what the entry says, whole, and right in itself.
std::uint64_t fault_of(const std::uint8_t* data, std::uint32_t length, const MarkEntry& entry) noexcept {
    // Version and header length, ECN, fragment: as they stand in memory.
    constexpr std::uint64_t kMask = __builtin_bswap64(0xff03'0000'0000'3fff), kPlain = 0x45;
    const std::uint8_t* const ip = data + entry.ip;
    const std::uint8_t* const udp = ip + kIpv4Header;
    std::uint64_t start, ports_and_length, shim;
    std::memcpy(&start, ip, sizeof start);
    std::memcpy(&ports_and_length, udp, sizeof ports_and_length);
    std::memcpy(&shim, udp + kUdpHeader, sizeof shim);
    const std::uint32_t total = __builtin_bswap16(static_cast<std::uint16_t>(start >> 16));
    const std::uint32_t udp_length = __builtin_bswap16(static_cast<std::uint16_t>(total - kIpv4Header));
    std::uint64_t fault = (start & kMask) ^ kPlain;
    fault |= (entry.ip + total) ^ length;
    fault |= ports_and_length >> 32 ^ udp_length;  // behind the length the checksum: none
    fault |= (shim & entry.shim_mask) ^ entry.shim;
    return fault | ipv4_checksum_fault(ip);
}

/// The burst goes the way of any other.
bool give_up(const Batch& batch, const Snapshot& snapshot, WorkerCounters& counters) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        rte_mbuf& frame = *batch.frames[row];
        const FlowMark mark = mark_of(frame);
        frame.ol_flags &= ~kMarkFlags;
        if (mark == kNoMark) continue;
        const AttachmentIndex slot = slot_of(mark);
        if (slot >= snapshot.marks.size() || snapshot.marks[slot].mark != mark) counters.stale_marks.add(1);
    }
    return false;
}

}  // namespace

BULKHEAD_CPU_CLONES bool strip_marked(Batch& batch, const Snapshot& snapshot,
                                      const Batch::Column<const std::uint8_t*>& data,
                                      WorkerCounters& counters) noexcept {
    const MarkEntry* const entries = snapshot.marks.data();
    const std::size_t slots = snapshot.marks.size();
    std::uint64_t fault = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const rte_mbuf& frame = *batch.frames[row];
        const FlowMark mark = mark_of(frame);
        const AttachmentIndex slot = slot_of(mark);
        if (slot >= slots) [[unlikely]]
            return give_up(batch, snapshot, counters);
        const MarkEntry& entry = entries[slot];
        // An entry without a mark has no header that is short enough.
        if (frame.data_len < entry.ip + kAfterIp) [[unlikely]]
            return give_up(batch, snapshot, counters);
        fault |= (entry.mark ^ mark) | fault_of(data[row], frame.pkt_len, entry);
        batch.ingress[row] = slot;
    }
    if (fault != 0) [[unlikely]]
        return give_up(batch, snapshot, counters);
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        batch.frames[row]->ol_flags &= ~kMarkFlags;
        strip_outer(batch.frames[row], static_cast<std::uint16_t>(entries[batch.ingress[row]].ip + kAfterIp));
    }
    if (snapshot.exchanges_groups) [[unlikely]]
        read_groups(batch, snapshot, data);
    counters.marked.add(batch.count);
    return true;
}

}  // namespace bulkhead
