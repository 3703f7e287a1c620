// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/bfd_session.h"

#include <algorithm>
#include <utility>

namespace bulkhead {
namespace {

constexpr std::uint32_t kUsPerMs = 1000;
constexpr std::uint32_t kSlowUs = 1'000'000;  ///< the least of what is said while not Up (RFC 5880, section 6.8.3)
constexpr std::uint64_t kFirstWithinMs = 500;
// A remote polls with its periodic packets.
constexpr std::uint32_t kAnswersPerSecond = 100, kAnswersAtOnce = 20;

std::uint64_t to_ms(std::uint64_t us) {
    return (us + kUsPerMs - 1) / kUsPerMs;
}

}  // namespace

BfdSession::BfdSession(std::uint32_t discriminator, std::uint32_t interval_ms, std::uint64_t now, Send send)
    : discriminator_(discriminator),
      interval_us_(interval_ms * kUsPerMs),
      send_(std::move(send)),
      // Of a thousand that begin together not all speak at once.
      speak_at_(now + spread(discriminator, kFirstWithinMs)),
      answers_(kAnswersPerSecond, kAnswersAtOnce) {
    propose_timers();
}

void BfdSession::receive(const BfdPacket& packet, std::uint64_t now) {
    if (packet.your_discriminator != 0 && packet.your_discriminator != discriminator_) return;
    remote_ = {.discriminator = packet.my_discriminator,
               .state = packet.state,
               .demands = packet.demand,
               .multiplier = packet.detect_multiplier,
               .desired_min_tx_us = packet.desired_min_tx_us,
               .required_min_rx_us = packet.required_min_rx_us};
    if (packet.final && is_polling_) end_poll();
    listen_from(now);
    follow(packet.state, now);
    if (packet.poll && answers_.take(now)) {
        BfdPacket answer = this->packet();
        answer.poll = false;
        answer.final = true;
        send_(answer);
    }
    // A remote that listens more often now is not kept waiting for what was planned before.
    speak_at_ = std::min(speak_at_, now + to_ms(std::max(in_force_.desired_min_tx_us, remote_.required_min_rx_us)));
    if (remote_.required_min_rx_us == 0) speak_at_ = kNever;
}

/// The state machine of section 6.8.6.
void BfdSession::follow(BfdState remote, std::uint64_t now) {
    if (remote == BfdState::admin_down) {
        is_alive_.reset();
        if (state_ != BfdState::down) change(BfdState::down, BfdDiagnostic::neighbor_signaled_down, now);
    } else if (state_ == BfdState::down) {
        if (remote == BfdState::down) change(BfdState::init, diagnostic_, now);
        if (remote == BfdState::init) change(BfdState::up, BfdDiagnostic::none, now);
    } else if (state_ == BfdState::init) {
        if (remote != BfdState::down) change(BfdState::up, BfdDiagnostic::none, now);
    } else if (remote == BfdState::down) {
        is_alive_ = false;
        change(BfdState::down, BfdDiagnostic::neighbor_signaled_down, now);
    }
}

void BfdSession::change(BfdState state, BfdDiagnostic diagnostic, std::uint64_t now) {
    state_ = state;
    diagnostic_ = diagnostic;
    is_polling_ = state == BfdState::up;  // the slow pace ends by agreement
    if (state == BfdState::up) is_alive_ = true;
    propose_timers();
    listen_from(now);
    speak(now);  // what differs from the last packet is told at once (section 6.8.7)
}

/// Section 6.8.3: what makes us speak less or expect more is in force only once the remote knows of it.
void BfdSession::propose_timers() {
    const bool is_up = state_ == BfdState::up;
    said_ = {.desired_min_tx_us = is_up ? interval_us_ : std::max(interval_us_, kSlowUs),
             .required_min_rx_us = interval_us_};
    if (!is_polling_) {
        in_force_ = said_;
        return;
    }
    in_force_.desired_min_tx_us = std::min(in_force_.desired_min_tx_us, said_.desired_min_tx_us);
    in_force_.required_min_rx_us = std::max(in_force_.required_min_rx_us, said_.required_min_rx_us);
}

void BfdSession::end_poll() {
    is_polling_ = false;
    in_force_ = said_;
}

void BfdSession::set_interval(std::uint32_t interval_ms, std::uint64_t now) {
    interval_us_ = interval_ms * kUsPerMs;
    is_polling_ = state_ == BfdState::up;
    propose_timers();
    if (remote_.discriminator != 0) listen_from(heard_at_);
    speak(now);
}

void BfdSession::say_goodbye() {
    state_ = BfdState::admin_down;
    diagnostic_ = BfdDiagnostic::administratively_down;
    is_polling_ = false;
    send_(packet());
}

void BfdSession::tick(std::uint64_t now) {
    if (expire_at_ <= now) {
        expire_at_ = kNever;
        remote_ = {};
        if (state_ == BfdState::up) is_alive_ = false;
        if (state_ != BfdState::down) change(BfdState::down, BfdDiagnostic::detection_time_expired, now);
        if (speak_at_ == kNever) schedule(now);
    }
    if (speak_at_ <= now) speak(now);
}

void BfdSession::speak(std::uint64_t now) {
    // Section 6.8.7: not to a remote that does not wish to hear, or only when it asks.
    const bool is_on_demand = remote_.demands && state_ == BfdState::up && remote_.state == BfdState::up;
    if (remote_.required_min_rx_us != 0 && (!is_on_demand || is_polling_)) send_(packet());
    schedule(now);
}

/// Section 6.8.7: 75 to 100 % of the interval, so that sessions do not fall into step.
void BfdSession::schedule(std::uint64_t now) {
    const std::uint64_t pause = to_ms(std::max(in_force_.desired_min_tx_us, remote_.required_min_rx_us));
    const std::uint64_t key = discriminator_ + ++spoken_;
    speak_at_ = remote_.required_min_rx_us == 0 ? kNever : now + pause - spread(key, pause / 4 + 1);
}

/// Section 6.8.4: the detection time is the remote's multiplier, of the pace that both agree on.
void BfdSession::listen_from(std::uint64_t now) {
    heard_at_ = now;
    if (remote_.discriminator == 0) return;
    const std::uint64_t pace = std::max(in_force_.required_min_rx_us, remote_.desired_min_tx_us);
    expire_at_ = now + to_ms(pace * remote_.multiplier);
}

BfdPacket BfdSession::packet() const {
    return {.diagnostic = diagnostic_,
            .state = state_,
            .poll = is_polling_,
            .detect_multiplier = kMultiplier,
            .my_discriminator = discriminator_,
            .your_discriminator = remote_.discriminator,
            .desired_min_tx_us = said_.desired_min_tx_us,
            .required_min_rx_us = said_.required_min_rx_us};
}

}  // namespace bulkhead
