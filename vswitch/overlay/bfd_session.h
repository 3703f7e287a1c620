// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "vswitch/base/token_bucket.h"
#include "vswitch/overlay/bfd_packet.h"
#include "vswitch/overlay/deadline.h"

namespace bulkhead {

/// One session of BFD in asynchronous mode (RFC 5880, section 6.8), in the active role, without echo, authentication,
/// and demand mode of its own. While it is not Up it speaks once a second at most (section 6.8.3); once Up, it sees the
/// end of a remote of the same interval within kMultiplier intervals.
///
/// Reads no clock; one thread calls it. What it sends is bounded however much it receives.
class BfdSession {
  public:
    static constexpr std::uint8_t kMultiplier = 3;

    using Send = std::function<void(const BfdPacket&)>;

    /// `discriminator` is not 0 and no other session's. `interval_ms`: both how often it wants to speak and how often
    /// it is willing to listen.
    BfdSession(std::uint32_t discriminator, std::uint32_t interval_ms, std::uint64_t now, Send send);

    /// A packet from this session's remote; one that is meant for another session is ignored.
    void receive(const BfdPacket& packet, std::uint64_t now);
    /// Does what is due. To be called at next_deadline(), which every other call may change; earlier is harmless.
    void tick(std::uint64_t now);
    [[nodiscard]] std::uint64_t next_deadline() const { return speak_at_ < expire_at_ ? speak_at_ : expire_at_; }

    /// The session goes on, and the remote is polled to agree (section 6.8.12).
    void set_interval(std::uint32_t interval_ms, std::uint64_t now);
    /// Tells the remote that it is not to be taken for dead when it hears no more of us (section 6.8.16).
    void say_goodbye();

    [[nodiscard]] BfdState state() const { return state_; }
    /// Nothing: it has not been Up, or the remote does not wish to be watched any more.
    [[nodiscard]] std::optional<bool> is_alive() const { return is_alive_; }

  private:
    /// What we say of our own timers, or what is in force of it while the remote has not answered a poll.
    struct Timers {
        std::uint32_t desired_min_tx_us = 0;
        std::uint32_t required_min_rx_us = 0;
    };
    struct Remote {
        std::uint32_t discriminator = 0;
        BfdState state = BfdState::down;
        bool demands = false;
        std::uint8_t multiplier = 0;
        std::uint32_t desired_min_tx_us = 0;
        std::uint32_t required_min_rx_us = 1;  ///< "unknown" (section 6.8.1)
    };

    void follow(BfdState remote, std::uint64_t now);
    void change(BfdState state, BfdDiagnostic diagnostic, std::uint64_t now);
    void propose_timers();
    void end_poll();
    void speak(std::uint64_t now);
    void schedule(std::uint64_t now);
    void listen_from(std::uint64_t now);
    [[nodiscard]] BfdPacket packet() const;

    std::uint32_t discriminator_;
    std::uint32_t interval_us_;
    Send send_;
    BfdState state_ = BfdState::down;
    BfdDiagnostic diagnostic_ = BfdDiagnostic::none;
    std::optional<bool> is_alive_;
    Timers said_, in_force_;
    bool is_polling_ = false;
    Remote remote_;
    std::uint64_t spoken_ = 0;  ///< so that the pauses differ
    std::uint64_t heard_at_ = 0;
    std::uint64_t speak_at_;
    std::uint64_t expire_at_ = kNever;
    TokenBucket answers_;
};

}  // namespace bulkhead
