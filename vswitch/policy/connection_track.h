// SPDX-License-Identifier: Apache-2.0
// What a frame means to the connection that it names, by the protocol's own states (RFC 9293, section 3.3.2, seen from
// between the two ends).
//
// Threads: any; see connection.h.
#pragma once

#include <cstdint>

#include "vswitch/policy/connection.h"
#include "vswitch/policy/flow.h"

namespace bulkhead {

enum class Following : std::uint8_t {
    passes,  ///< it is of the connection
    stray,   ///< it can't be of it
    over,    ///< the connection is: as if there were none
};

struct Progress {
    Following following = Following::over;
    ConnectionStatus next;  ///< of the connection, if the frame passes
};

/// Whether it is over, by silence or by rule.
[[nodiscard]] bool is_over(const ConnectionStatus& status, std::uint8_t protocol, std::uint32_t now_s) noexcept;

[[nodiscard]] inline bool is_over(const Connection& connection, std::uint32_t now_s) noexcept {
    return is_over(ConnectionStatus::of(connection.status.load(std::memory_order_relaxed)), protocol_of(connection),
                   now_s);
}

/// That of a connection whose first frame this is.
[[nodiscard]] ConnectionStatus first_status(const ConnectionKey& key, const Flow& flow, std::uint32_t now_s) noexcept;

/// Changes nothing. `flow` is an opener, a follower or untracked, and `connection` is of its key.
[[nodiscard]] Progress progress(const Connection& connection, const ConnectionKey& key, const Flow& flow,
                                std::uint32_t now_s) noexcept;

/// The frame passes: `next` is what progress() said, or what it was opened with.
void follow(Connection& connection, const ConnectionKey& key, const Flow& flow, const ConnectionStatus& next) noexcept;

/// Sequence numbers are only noted when they have got on by so much: two workers may follow the two directions, and
/// would take the line from each other with every frame.
inline constexpr std::uint32_t kNotedStep = 4096;

/// What follow() notes of a TCP segment.
inline void note_sequence(Connection& connection, bool from_low, std::uint32_t end) noexcept {
    std::atomic<std::uint32_t>& reached = connection.reached[from_low ? 0 : 1];
    const std::uint32_t before = reached.load(std::memory_order_relaxed);
    if (before == 0 || static_cast<std::int32_t>(end - before) >= static_cast<std::int32_t>(kNotedStep)) [[unlikely]]
        reached.store(end == 0 ? 1 : end, std::memory_order_relaxed);
}

}  // namespace bulkhead
