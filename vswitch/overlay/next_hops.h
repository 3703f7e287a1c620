// SPDX-License-Identifier: Apache-2.0
// The MAC of each next hop, as workers ask for it once a burst. Learned state: it lives beside the snapshots, so a
// neighbour that answers needs no new one.
//
// Threads: written by control; read by any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "vswitch/base/ids.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

inline constexpr std::uint16_t kMaxNextHops = kMaxPorts;

class NextHops {
  public:
    enum class State : std::uint8_t {
        asking,    ///< frames wait for the answer
        known,     ///< frames go there
        no_answer  ///< frames are dropped
    };
    struct Entry {
        State state = State::asking;
        std::uint64_t mac = 0;
    };

    [[nodiscard]] Entry read(NextHopIndex index) const noexcept {
        const std::uint64_t word = words_[index].load(std::memory_order_relaxed);
        return {static_cast<State>(word >> 62), word & kMac};
    }
    void set_known(NextHopIndex index, MacAddress mac) noexcept { write(index, State::known, mac.value()); }
    void set_asking(NextHopIndex index) noexcept { write(index, State::asking, 0); }
    void set_no_answer(NextHopIndex index) noexcept { write(index, State::no_answer, 0); }

  private:
    static constexpr std::uint64_t kMac = 0xffff'ffff'ffffULL;
    void write(NextHopIndex index, State state, std::uint64_t mac) noexcept {
        words_[index].store(static_cast<std::uint64_t>(state) << 62 | mac, std::memory_order_relaxed);
    }
    std::array<std::atomic<std::uint64_t>, kMaxNextHops> words_{};
};

}  // namespace bulkhead
