// SPDX-License-Identifier: Apache-2.0
// Frames between the workers and whoever speaks for this node on its underlays: what workers receive and can't answer
// goes up, what is said goes down. Both ways are bounded: what finds no room is the caller's to drop.
//
// Threads: hand_up() by any worker; next_to_send() by the first worker; all else by control.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "vswitch/base/ids.h"
#include "vswitch/base/ring.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

class UnderlayExchange {
  public:
    explicit UnderlayExchange(rte_mempool* buffers);
    ~UnderlayExchange();
    UnderlayExchange(const UnderlayExchange&) = delete;
    UnderlayExchange& operator=(const UnderlayExchange&) = delete;

    /// Takes the frame, unless there is no room.
    [[nodiscard]] bool hand_up(rte_mbuf* frame, PortIndex nic) noexcept;
    /// Has control called: there is something for it, here or elsewhere. By any worker.
    void ring_bell() noexcept;
    /// A frame and where it leaves, or null.
    struct Outgoing {
        rte_mbuf* frame = nullptr;
        PortIndex nic = kNoPort;
    };
    [[nodiscard]] Outgoing next_to_send() noexcept {
        Outgoing next{};
        if (!down_.is_empty()) [[unlikely]]
            (void)down_.pop(next);
        return next;
    }

    /// Becomes readable when frames were handed up. -1: there is none, ask from time to time.
    [[nodiscard]] int bell() const noexcept { return bell_; }
    /// Calls `receive(nic, frame)` for what was handed up: whole frames as spans of bytes. At most so many at once that
    /// a flood of them does not keep control from all else.
    template <typename Receive>
    void receive(Receive receive) {
        constexpr unsigned kMost = 256;
        quiet_bell();
        Handed next{};
        for (unsigned count = 0; count < kMost && up_.pop(next); ++count) {
            receive(next.nic, contents(next.frame));
            free(next.frame);
        }
    }
    /// False: no buffer, or no room.
    bool send(PortIndex nic, std::span<const std::uint8_t> frame);

  private:
    using Handed = Outgoing;

    void quiet_bell() noexcept;
    /// The frame's bytes, copied to `scratch_` if they lie in several buffers.
    [[nodiscard]] std::span<const std::uint8_t> contents(const rte_mbuf* frame);
    static void free(rte_mbuf* frame) noexcept;

    rte_mempool* buffers_;
    Ring<Handed> up_{"underlay_up", 1024, Producers::many};
    Ring<Outgoing> down_{"underlay_down", 1024, Producers::one};
    int bell_ = -1;                  ///< eventfd
    std::atomic<bool> rung_{false};  ///< by workers; until control has come
    std::array<std::uint8_t, 2048> scratch_;
};

}  // namespace bulkhead
