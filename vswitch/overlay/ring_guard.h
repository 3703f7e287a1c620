// SPDX-License-Identifier: Apache-2.0
// What workers and control share to keep spokes a tree (RFC 4762, section 10: a ring of spokes would be a storm): which
// links are cut, which floods came in lately, signs of a ring and its probes. Of guarded segments only, see
// SegmentEntry.
//
// Threads: is_cut() by any; flooded(), hand_up() by any worker; next_to_send() by the first worker; all else by
// control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "vswitch/base/ids.h"
#include "vswitch/base/ring.h"
#include "vswitch/overlay/flood_memory.h"
#include "vswitch/overlay/link_cuts.h"
#include "vswitch/overlay/ring_probe.h"
#include "vswitch/overlay/underlay_exchange.h"

namespace bulkhead {

class RingGuard {
  public:
    /// A probe and the attachment, a tunnel's, that it came in by or leaves by.
    struct Probe {
        RingProbe probe;
        AttachmentIndex attachment = kNoAttachment;
    };

    /// `exchange` has the bell that calls control.
    RingGuard(UnderlayExchange& exchange, std::uint64_t secret) : exchange_(exchange), secret_(secret) {}

    [[nodiscard]] std::uint64_t secret() const noexcept { return secret_; }
    [[nodiscard]] FloodMemory& memory() noexcept { return memory_; }
    [[nodiscard]] const FloodMemory& memory() const noexcept { return memory_; }
    [[nodiscard]] const LinkCuts& cuts() const noexcept { return cuts_; }
    [[nodiscard]] LinkCuts& cuts() noexcept { return cuts_; }

    /// A duplicate came in. Control hears of it once until it calls listen().
    void report(AttachmentIndex attachment) noexcept {
        if (reported_[attachment].load(std::memory_order_relaxed)) return;
        if (reported_[attachment].exchange(true, std::memory_order_relaxed)) return;
        if (signs_.push({attachment, 0})) exchange_.ring_bell();
    }
    void hand_up(const Probe& probe) noexcept {
        if (heard_.push(probe)) exchange_.ring_bell();
    }
    /// False: nothing to send.
    [[nodiscard]] bool next_to_send(Probe& probe) noexcept { return !down_.is_empty() && down_.pop(probe); }

    /// Calls `sign(attachment)` for each link by which duplicates came.
    template <typename Function>
    void take_signs(Function sign) {
        for (Sign next; signs_.pop(next);) sign(next.attachment);
    }
    /// Calls `heard(probe)` for what was handed up; at most so many at once that they keep control from nothing else.
    template <typename Function>
    void take_probes(Function heard) {
        constexpr unsigned kMost = 256;
        Probe next;
        for (unsigned count = 0; count < kMost && heard_.pop(next); ++count) heard(next);
    }
    /// From now on links report again. Called from time to time, it bounds how often they do.
    void listen() noexcept {
        for (auto& reported : reported_) {
            if (reported.load(std::memory_order_relaxed)) reported.store(false, std::memory_order_relaxed);
        }
    }
    /// What finds no room is sent again, as if the link had lost it.
    void send(const Probe& probe) noexcept { (void)down_.push(probe); }

  private:
    struct Sign {
        AttachmentIndex attachment = kNoAttachment;
        std::uint16_t padding = 0;
    };

    UnderlayExchange& exchange_;
    const std::uint64_t secret_;  ///< of fingerprints
    FloodMemory memory_;
    LinkCuts cuts_;
    std::array<std::atomic<bool>, kMaxAttachments> reported_{};
    Ring<Sign> signs_{"ring_signs", 256, Producers::many};
    Ring<Probe> heard_{"ring_heard", 1024, Producers::many};
    Ring<Probe> down_{"ring_down", 1024, Producers::one};
};

}  // namespace bulkhead
