// SPDX-License-Identifier: Apache-2.0
// Answers to the sources of frames that a tunnel's path, or their segment, can't carry. Who drops such a frame notes it
// before; what there is to say is sent after the burst, when the sources have been learned and the queues are empty, so
// an answer never meets the frame that it is about on its way.
//
// Of many packets that two nodes exchange in one burst one is answered, and a worker answers kPerSecond (after a rest
// kBurst at once) of all: RFC 1812, section 4.3.2.8; RFC 4443, section 2.4 (f).
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vswitch/base/counters.h"
#include "vswitch/base/token_bucket.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/too_big.h"
#include "vswitch/packet/batch.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

class Transmitter;

class TooBigAnswers {
  public:
    static constexpr std::uint32_t kPerSecond = 100, kBurst = 20;

    TooBigAnswers(const MacTable& macs, rte_mempool* buffers) : macs_(macs), buffers_(buffers) {}
    ~TooBigAnswers();
    TooBigAnswers(const TooBigAnswers&) = delete;
    TooBigAnswers& operator=(const TooBigAnswers&) = delete;

    /// `frame`, which stays the caller's, is too long for the tunnel behind `egress`.
    void note(const Snapshot& snapshot, AttachmentIndex egress, const rte_mbuf* frame) noexcept;
    /// The batch's frames that are longer than the MTU of their segment; they stay the caller's, too.
    void note_dropped(const Snapshot& snapshot, const Batch& batch) noexcept;

    [[nodiscard]] bool are_due() const noexcept { return looked_at_ > 0; }
    /// Gives them to the transmitter: each leaves where its frame's source is, or not at all if that is not known. The
    /// snapshot is that of the burst.
    void send(const Snapshot& snapshot, Transmitter& transmitter, WorkerCounters& counters) noexcept;

  private:
    struct Limit {
        SegmentIndex segment = kNoSegment;
        std::uint32_t longest_frame = 0;
        std::uint16_t longest_packet = 0;  ///< that the source's own link takes
    };
    struct Due {
        rte_mbuf* frame = nullptr;
        SegmentIndex segment = kNoSegment;
        std::uint16_t addresses = 0;  ///< octets up to the end of the IP addresses
    };

    /// What there is to say of the frame, if anything.
    [[nodiscard]] Due answer(const Limit& limit, const rte_mbuf* frame) const noexcept;
    void note(const Limit& limit, const rte_mbuf* frame) noexcept;
    [[nodiscard]] bool is_due_already(const Due& candidate) const noexcept;

    const MacTable& macs_;
    rte_mempool* buffers_;
    TokenBucket bucket_{kPerSecond, kBurst};
    std::array<Due, kBurst> due_;
    std::uint32_t count_ = 0;
    std::uint32_t looked_at_ = 0;  ///< in this burst: no more than there is room for, whatever they are
};

}  // namespace bulkhead
