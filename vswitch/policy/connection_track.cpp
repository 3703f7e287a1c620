// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/connection_track.h"

#include <array>

#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/packet/tcp.h"

namespace bulkhead {
namespace {

using enum ConnectionState;

/// A RST is where its sender is, or (in answer to what was still on its way) behind it.
constexpr std::int32_t kResetAhead = 2 * kNotedStep, kResetBehind = 1 << 18;

bool comes_from_opener(const ConnectionStatus& status, const ConnectionKey& key) noexcept {
    return key.from_low == status.opened_from_low;
}

std::size_t side_of(const ConnectionKey& key) noexcept {
    return key.from_low ? 0 : 1;
}

/// RFC 9293, section 3.10.7.3: who is asked says what it refuses.
bool refuses_syn(const Connection& connection, const ConnectionKey& key, const Flow& flow) noexcept {
    const std::uint32_t asked = connection.reached[1 - side_of(key)].load(std::memory_order_relaxed);
    return (flow.tcp_flags & kTcpAck) != 0 &&
           (flow.is_first_fragment || flow.identification_or_acknowledgment == asked);
}

/// RFC 5961, section 3.2, as far as one can see from here.
bool is_credible_reset(const Connection& connection, const ConnectionStatus& status, const ConnectionKey& key,
                       const Flow& flow) noexcept {
    if (status.state == syn_sent && !comes_from_opener(status, key)) return refuses_syn(connection, key, flow);
    const std::uint32_t reached = connection.reached[side_of(key)].load(std::memory_order_relaxed);
    if (reached == 0) return true;
    const auto ahead = static_cast<std::int32_t>(flow.sequence - reached);
    return ahead <= kResetAhead && ahead >= -kResetBehind;
}

Following handshake(const ConnectionStatus& status, const ConnectionKey& key, const Flow& flow,
                    ConnectionStatus& next) noexcept {
    const bool syn = (flow.tcp_flags & kTcpSyn) != 0, ack = (flow.tcp_flags & kTcpAck) != 0;
    if (comes_from_opener(status, key)) return syn && !ack ? Following::passes : Following::stray;
    if (!syn) return Following::stray;
    next.state = syn_received;  // and so it is where both have asked (RFC 9293, section 3.5)
    return Following::passes;
}

Following exchange(const ConnectionStatus& status, const ConnectionKey& key, const Flow& flow,
                   ConnectionStatus& next) noexcept {
    const bool ack = (flow.tcp_flags & kTcpAck) != 0, syn = (flow.tcp_flags & kTcpSyn) != 0;
    if (status.state == syn_received && comes_from_opener(status, key) && ack && !syn) next.state = established;
    if ((flow.tcp_flags & kTcpFin) != 0) {
        next.low_ended |= key.from_low;
        next.high_ended |= !key.from_low;
        next.state = next.low_ended && next.high_ended ? time_wait : closing;
    }
    return Following::passes;
}

Following follow_tcp(const Connection& connection, const ConnectionStatus& status, const ConnectionKey& key,
                     const Flow& flow, ConnectionStatus& next) noexcept {
    if (flow.role == FlowRole::untracked) return Following::stray;
    const bool has_ended = status.state == time_wait || status.state == reset;
    if (has_ended && flow.role == FlowRole::opener) return Following::over;
    if ((flow.tcp_flags & kTcpRst) != 0) {
        if (!is_credible_reset(connection, status, key, flow)) return Following::stray;
        next.state = status.state == syn_sent || status.state == syn_received ? closed : reset;
        next.reset_from_low = key.from_low;
        return Following::passes;
    }
    if (status.state == syn_sent) return handshake(status, key, flow, next);
    if (status.state == reset && key.from_low == status.reset_from_low) return Following::passes;
    // Who goes on after a RST has not believed it (RFC 5961): somebody else may have sent it.
    if (status.state == reset) next.state = established;
    return status.state == time_wait ? Following::passes : exchange(status, key, flow, next);
}

bool is_query(const Flow& flow) noexcept {
    return flow.protocol == kProtocolIcmp || flow.protocol == kProtocolIcmpv6;
}

}  // namespace

std::uint32_t idle_timeout_s(ConnectionState state, std::uint8_t protocol) noexcept {
    constexpr std::uint32_t kIcmp = 30, kOther = 600, kUdpFresh = 30, kUdpAnswered = 120;
    switch (state) {
        case syn_sent:
        case syn_received:
        case closing:
        case time_wait:
            return 120;
        case established:
            return 2 * 3600 + 4 * 60;
        case reset:
            return 10;
        case fresh:
        case answered:
            if (protocol == kProtocolIcmp || protocol == kProtocolIcmpv6) return kIcmp;
            if (protocol != kProtocolUdp) return kOther;
            return state == fresh ? kUdpFresh : kUdpAnswered;
        default:
            return 0;
    }
}

bool is_over(const ConnectionStatus& status, std::uint8_t protocol, std::uint32_t now_s) noexcept {
    if (status.state == closed) return true;
    // Another worker may have read the clock later.
    return now_s > status.seen_s && now_s - status.seen_s > idle_timeout_s(status.state, protocol);
}

ConnectionStatus first_status(const ConnectionKey& key, const Flow& flow, std::uint32_t now_s) noexcept {
    return {
        .seen_s = now_s, .state = flow.protocol == kProtocolTcp ? syn_sent : fresh, .opened_from_low = key.from_low};
}

Progress progress(const Connection& connection, const ConnectionKey& key, const Flow& flow,
                  std::uint32_t now_s) noexcept {
    const auto status = ConnectionStatus::of(connection.status.load(std::memory_order_relaxed));
    // Silence is only looked at where there was some: nearly always it was this very second.
    if (status.state == closed || (status.seen_s != now_s && is_over(status, flow.protocol, now_s))) return {};
    Progress progress{.following = Following::passes, .next = status};
    progress.next.seen_s = now_s;
    if (flow.protocol == kProtocolTcp) {
        progress.following = follow_tcp(connection, status, key, flow, progress.next);
        return progress;
    }
    const bool answers = !comes_from_opener(status, key);
    if (is_query(flow) && answers != (flow.role == FlowRole::follower)) progress.following = Following::stray;
    if (answers) progress.next.state = answered;
    return progress;
}

void follow(Connection& connection, const ConnectionKey& key, const Flow& flow, const ConnectionStatus& next) noexcept {
    if (const std::uint64_t word = next.word(); connection.status.load(std::memory_order_relaxed) != word) [[unlikely]]
        connection.status.store(word, std::memory_order_relaxed);
    if (flow.protocol == kProtocolTcp && (flow.tcp_flags & kTcpRst) == 0)
        note_sequence(connection, key.from_low, flow.end);
}

}  // namespace bulkhead
