// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <rte_mbuf.h>

#include "vswitch/overlay/address_request.h"
#include "vswitch/packet/link_header.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/pipeline/answer_frame.h"
#include "vswitch/pipeline/stages.h"

namespace bulkhead {
namespace {

constexpr std::size_t kMostRead = LinkHeader::kMost + kLongestRequest;

/// On its way to everybody, or it would be if the segment flooded.
bool is_for_everybody(const Batch& batch, std::uint16_t row) noexcept {
    if (!is_multicast(batch.destination[row])) return false;
    return batch.verdict[row] == DropReason::flood_disabled || (batch.alive(row) && batch.egress[row] == Batch::kFlood);
}

/// Whether the asker may have the owner's MAC. What came through the mesh is for the node that is nearest to the owner
/// to answer; isolated stations don't hear each other; and an owner that asks whether its address is free must not be
/// told that it is taken.
bool is_answered(const AddressRequest& request, MacAddress sender, MacAddress owner, const AttachmentEntry& ingress,
                 const AttachmentEntry* egress) noexcept {
    if (ingress.is_mesh || owner == request.asker || owner == sender) return false;
    return !(ingress.isolated && egress != nullptr && egress->isolated);
}

/// A request and who it is about.
struct Found {
    std::span<const std::uint8_t> header;  ///< of the request's frame; valid as long as that and `scratch`
    AddressRequest request;
    MacAddress owner;
};

std::optional<Found> find_answer(const Batch& batch, std::uint16_t row, const Snapshot& snapshot, const MacTable& macs,
                                 std::span<std::uint8_t, kMostRead> scratch) noexcept {
    const rte_mbuf* const frame = batch.frames[row];
    if ((frame->ol_flags & kPendingWork) != 0) return std::nullopt;  // its checksum is not there to be checked
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(frame->pkt_len, scratch.size()));
    const std::span octets(static_cast<const std::uint8_t*>(rte_pktmbuf_read(frame, 0, length, scratch.data())),
                           length);
    const auto header = read_link_header(octets);
    if (!header) return std::nullopt;
    const auto request = parse_address_request(header->ethertype, header->source, octets.subspan(header->length));
    if (!request) return std::nullopt;
    const SegmentIndex segment = batch.segment[row];
    const auto owner = snapshot.ip_owners.find(segment, request->target);
    if (!owner) return std::nullopt;
    const AttachmentIndex place = macs.find(mac_key(segment, owner->value())).attachment();
    const AttachmentEntry* const egress = place < snapshot.attachments.size() ? &snapshot.attachments[place] : nullptr;
    if (!is_answered(*request, header->source, *owner, snapshot.attachments[batch.ingress[row]], egress))
        return std::nullopt;
    return Found{.header = octets.first(header->length), .request = *request, .owner = *owner};
}

void answer(Batch& batch, std::uint16_t row, const Snapshot& snapshot, const MacTable& macs, WorkerCounters& counters,
            rte_mempool* buffers) noexcept {
    std::array<std::uint8_t, kMostRead> scratch;
    const auto found = find_answer(batch, row, snapshot, macs, scratch);
    if (!found) return;
    const AddressAnswer reply = answer_of(found->request, found->owner);
    rte_mbuf* const made = answer_frame(found->header, reply.destination, found->owner,
                                        std::span(reply.octets).first(reply.length), buffers);
    if (made == nullptr) return batch.drop(row, DropReason::no_buffer);
    rte_pktmbuf_free(batch.frames[row]);
    counters.books.consumed.add(1);
    counters.books.originated.add(1);
    // It takes the request's place on the way, and goes back where that came from.
    batch.frames[row] = made;
    batch.egress[row] = batch.ingress[row];
    batch.verdict[row] = DropReason::none;
    batch.group[row] = kNoGroupId;
}

}  // namespace

void answer_requests(Batch& batch, const Snapshot& snapshot, const MacTable& macs, WorkerCounters& counters,
                     rte_mempool* buffers) noexcept {
    if (snapshot.ip_owners.is_empty()) [[likely]]
        return;
    for (std::uint16_t row = 0; row < batch.count; ++row) {
        if (is_for_everybody(batch, row)) [[unlikely]]
            answer(batch, row, snapshot, macs, counters, buffers);
    }
}

std::optional<MacAddress> would_answer(const Batch& batch, std::uint16_t row, const Snapshot& snapshot,
                                       const MacTable& macs) noexcept {
    if (snapshot.ip_owners.is_empty() || !is_for_everybody(batch, row)) return std::nullopt;
    std::array<std::uint8_t, kMostRead> scratch;
    const auto found = find_answer(batch, row, snapshot, macs, scratch);
    return found ? std::optional(found->owner) : std::nullopt;
}

}  // namespace bulkhead
