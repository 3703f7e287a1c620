// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "vswitch/base/cpu_clones.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/refused_frame.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

/// Stands in for a header that is not there.
constexpr std::array<std::uint8_t, kEthernetHeader> kNoHeader{};

using DataPointers = Batch::Column<const std::uint8_t*>;

/// What the mbufs say; the frames themselves are on their way into the cache meanwhile.
void read_mbufs(Batch& batch, DataPointers& data) noexcept {
    std::uint64_t flags = 0;
    unsigned segments = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const rte_mbuf* frame = batch.frames[row];
        data[row] = rte_pktmbuf_mtod(frame, const std::uint8_t*);
        rte_prefetch0(data[row]);
        batch.length[row] = frame->pkt_len;
        flags |= frame->ol_flags;
        segments |= frame->nb_segs;
        if (frame->data_len < kEthernetHeader) [[unlikely]] {
            batch.drop(row, is_refused(*frame) ? DropReason::bad_offload : DropReason::truncated);
            data[row] = kNoHeader.data();
        }
    }
    batch.is_demanding = (flags & kPendingWork) != 0 || segments > 1;
}

void read_headers(Batch& batch, const DataPointers& data) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        // Eight octets each: the upper six are the address; those of the second load end in the EtherType.
        const auto source_and_type = load_big_endian<std::uint64_t>(data[row] + 6);
        batch.destination[row] = load_big_endian<std::uint64_t>(data[row]) >> 16;
        batch.source[row] = source_and_type >> 16;
        batch.ethertype[row] = static_cast<std::uint16_t>(source_and_type);
    }
}

// The sums below are of integers and without branches, for the compiler to make vectors of.

bool has_tags(const Batch& batch) noexcept {
    std::uint16_t tags = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const std::uint16_t type = batch.ethertype[row];
        tags = static_cast<std::uint16_t>(tags | (type == kEtherTypeVlan) | (type == kEtherTypeServiceVlan) |
                                          (type == kEtherTypeQinQ));
    }
    return tags != 0;
}

std::uint32_t longest(const Batch& batch) noexcept {
    std::uint32_t longest = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) longest = std::max(longest, batch.length[row]);
    return longest;
}

bool is_bad_source(std::uint64_t mac) noexcept {
    return is_multicast(mac) || mac == 0;
}

bool has_bad_addresses(const Batch& batch) noexcept {
    constexpr std::uint64_t kGroup = 1ULL << 40;
    std::uint64_t bad = 0;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        const std::uint64_t source = batch.source[row], destination = batch.destination[row];
        bad |= (source & kGroup) | static_cast<std::uint64_t>(source == 0) |
               static_cast<std::uint64_t>(is_reserved_multicast(destination));
    }
    return bad != 0;
}

void drop_bad_addresses(Batch& batch) noexcept {
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (!batch.alive(row)) continue;
        if (is_reserved_multicast(batch.destination[row]))
            batch.drop(row, DropReason::reserved_multicast);
        else if (is_bad_source(batch.source[row]))
            batch.drop(row, DropReason::source_invalid);
    }
}

}  // namespace

BULKHEAD_CPU_CLONES void parse(Batch& batch) noexcept {
    batch.intact = true;
    std::ranges::fill(batch.verdict, DropReason::none);
    DataPointers data;
    read_mbufs(batch, data);
    read_headers(batch, data);
    batch.has_tags = has_tags(batch);
    batch.longest = longest(batch);
    if (has_bad_addresses(batch)) [[unlikely]]
        drop_bad_addresses(batch);
}

}  // namespace bulkhead
