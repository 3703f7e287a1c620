// SPDX-License-Identifier: Apache-2.0
// One connection that a stateful rule let through: a cache line.
//
// Threads: every worker reads and writes it while it stands in the table. Its words are written one by one; each makes
// sense whatever the others are. Of two workers that follow its two directions at once the later one wins: a state that
// one of them has just left is arrived at again with the next frame.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vswitch/base/ids.h"
#include "vswitch/policy/connection_key.h"

namespace bulkhead {

enum class ConnectionState : std::uint8_t {
    syn_sent,      ///< TCP: asked for
    syn_received,  ///< TCP: answered
    established,   ///< TCP: in use
    closing,       ///< TCP: one side has ended
    time_wait,     ///< TCP: both have
    reset,         ///< TCP: a RST has been seen, which its receiver may not have believed
    fresh,         ///< others: nothing has come back yet
    answered,      ///< others
    closed,        ///< refused or given up, denied by newer rules, or flushed: of no effect
    count,
};

/// Seconds of silence after which it is over; docs/policy.md has the reasons. `fresh` and `answered` go by protocol.
[[nodiscard]] std::uint32_t idle_timeout_s(ConnectionState state, std::uint8_t protocol) noexcept;

/// What is known of it, as one word: last seen 32 bits, state 8, marks 8.
struct ConnectionStatus {
    std::uint32_t seen_s = 0;
    ConnectionState state = ConnectionState::closed;
    bool opened_from_low = false;
    bool low_ended = false, high_ended = false;  ///< TCP: a FIN has come from there
    bool reset_from_low = false;                 ///< TCP, in state reset: who sent the RST

    [[nodiscard]] std::uint64_t word() const noexcept {
        return static_cast<std::uint64_t>(seen_s) << 32 | static_cast<std::uint64_t>(state) << 8 |
               (opened_from_low ? 1U : 0U) | (low_ended ? 2U : 0U) | (high_ended ? 4U : 0U) |
               (reset_from_low ? 8U : 0U);
    }
    [[nodiscard]] static ConnectionStatus of(std::uint64_t word) noexcept {
        return {.seen_s = static_cast<std::uint32_t>(word >> 32),
                .state = static_cast<ConnectionState>(word >> 8 & 0xff),
                .opened_from_low = (word & 1) != 0,
                .low_ended = (word & 2) != 0,
                .high_ended = (word & 4) != 0,
                .reset_from_low = (word & 8) != 0};
    }
};

/// Who let it through, as one word: rule 16 bits, port that it counts for 16, generation of the rules 32.
struct ConnectionOrigin {
    RuleIndex rule = kNoRule;
    PortIndex port = kNoPort;
    std::uint32_t generation = 0;

    [[nodiscard]] std::uint64_t word() const noexcept {
        return static_cast<std::uint64_t>(rule) << 48 | static_cast<std::uint64_t>(port) << 32 | generation;
    }
    [[nodiscard]] static ConnectionOrigin of(std::uint64_t word) noexcept {
        return {.rule = static_cast<RuleIndex>(word >> 48),
                .port = static_cast<PortIndex>(word >> 32),
                .generation = static_cast<std::uint32_t>(word)};
    }
};

struct alignas(64) Connection {
    std::array<std::atomic<std::uint64_t>, 5> key;
    std::atomic<std::uint64_t> status;  ///< ConnectionStatus
    std::atomic<std::uint64_t> origin;  ///< ConnectionOrigin
    /// TCP: about where each side's sequence numbers have got to, the lower endpoint's first; 0: not seen yet.
    std::array<std::atomic<std::uint32_t>, 2> reached;

    /// The same of an IPv4 connection, by the words of its key that are not 0.
    [[nodiscard]] bool is_v4(std::uint64_t addresses, std::uint64_t rest) const noexcept {
        return ((key[3].load(std::memory_order_relaxed) ^ addresses) |
                (key[4].load(std::memory_order_relaxed) ^ rest)) == 0;
    }
    [[nodiscard]] bool is(const ConnectionKey& other) const noexcept {
        const auto differs = [&](std::size_t word) {
            return key[word].load(std::memory_order_relaxed) ^ other.words[word];
        };
        if ((differs(3) | differs(4)) != 0) return false;
        return other.is_v4() || (differs(0) | differs(1) | differs(2)) == 0;
    }
};
static_assert(sizeof(Connection) == 64);

[[nodiscard]] inline SegmentIndex segment_of(const Connection& connection) noexcept {
    return static_cast<SegmentIndex>(connection.key[4].load(std::memory_order_relaxed) >> 16);
}
[[nodiscard]] inline std::uint8_t protocol_of(const Connection& connection) noexcept {
    return static_cast<std::uint8_t>(connection.key[4].load(std::memory_order_relaxed) >> 8);
}

}  // namespace bulkhead
