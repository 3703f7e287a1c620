// SPDX-License-Identifier: Apache-2.0
// Answers to the sources of frames that a tunnel's path can't carry. The transmitter notes such a frame before it drops
// it; what there is to say is sent after the burst, when the sources have been learned and the queues are empty, so an
// answer never meets the frame that it is about on its way.
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
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/token_bucket.h"
#include "vswitch/overlay/too_big.h"

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

    /// `frame`, which stays the caller's, is too long for the tunnel behind `egress`. `now_ms` only goes forward.
    void note(const Snapshot& snapshot, AttachmentIndex egress, const rte_mbuf* frame, std::uint64_t now_ms) noexcept;

    [[nodiscard]] bool are_due() const noexcept { return looked_at_ > 0; }
    /// Gives them to the transmitter: each leaves where its frame's source is, or not at all if that is not known. The
    /// snapshot is that of the burst.
    void send(const Snapshot& snapshot, Transmitter& transmitter, WorkerCounters& counters) noexcept;

  private:
    struct Due {
        rte_mbuf* frame = nullptr;
        SegmentIndex segment = kNoSegment;
        std::uint16_t addresses = 0;  ///< octets up to the end of the IP addresses
    };

    /// What there is to say of the frame, if anything.
    [[nodiscard]] Due answer(const Snapshot& snapshot, const AttachmentEntry& egress,
                             const rte_mbuf* frame) const noexcept;
    [[nodiscard]] bool is_due_already(const Due& candidate) const noexcept;

    const MacTable& macs_;
    rte_mempool* buffers_;
    TokenBucket bucket_{kPerSecond, kBurst};
    std::array<Due, kBurst> due_;
    std::uint32_t count_ = 0;
    std::uint32_t looked_at_ = 0;  ///< in this burst: no more than there is room for, whatever they are
};

}  // namespace bulkhead
