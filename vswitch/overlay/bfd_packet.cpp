// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/bfd_packet.h"

#include <algorithm>

#include "vswitch/packet/big_endian.h"

namespace bulkhead {
namespace {

constexpr std::uint8_t kVersion = 1, kDiagnosticMask = 0x1f;
constexpr std::uint8_t kPoll = 0x20, kFinal = 0x10, kAuthentication = 0x04, kDemand = 0x02, kMultipoint = 0x01;

struct Wire {
    std::uint8_t version_and_diagnostic = 0;
    std::uint8_t state_and_flags = 0;
    std::uint8_t detect_multiplier = 0;
    std::uint8_t length = 0;
    BigEndian32 my_discriminator;
    BigEndian32 your_discriminator;
    BigEndian32 desired_min_tx;
    BigEndian32 required_min_rx;
    BigEndian32 required_min_echo_rx;  ///< 0: no echo
};
static_assert(sizeof(Wire) == kBfdPacketSize);

}  // namespace

std::optional<BfdPacket> parse_bfd(std::span<const std::uint8_t> bytes) {
    const auto wire = read_header<Wire>(bytes);
    if (!wire) return std::nullopt;
    const std::uint8_t flags = wire->state_and_flags;
    if (wire->version_and_diagnostic >> 5 != kVersion || wire->length < kBfdPacketSize || wire->length > bytes.size() ||
        wire->detect_multiplier == 0 || (flags & (kMultipoint | kAuthentication)) != 0 ||
        wire->my_discriminator.value() == 0)
        return std::nullopt;
    const auto state = static_cast<BfdState>(flags >> 6);
    if (wire->your_discriminator.value() == 0 && state != BfdState::down && state != BfdState::admin_down)
        return std::nullopt;
    return BfdPacket{.diagnostic = static_cast<BfdDiagnostic>(wire->version_and_diagnostic & kDiagnosticMask),
                     .state = state,
                     .poll = (flags & kPoll) != 0,
                     .final = (flags & kFinal) != 0,
                     .demand = (flags & kDemand) != 0,
                     .detect_multiplier = wire->detect_multiplier,
                     .my_discriminator = wire->my_discriminator.value(),
                     .your_discriminator = wire->your_discriminator.value(),
                     .desired_min_tx_us = wire->desired_min_tx.value(),
                     .required_min_rx_us = wire->required_min_rx.value()};
}

std::array<std::uint8_t, kBfdPacketSize> build_bfd(const BfdPacket& packet) {
    const auto flags = static_cast<std::uint8_t>(static_cast<unsigned>(packet.state) << 6 | (packet.poll ? kPoll : 0U) |
                                                 (packet.final ? kFinal : 0U) | (packet.demand ? kDemand : 0U));
    const Wire wire{
        .version_and_diagnostic = static_cast<std::uint8_t>(kVersion << 5 | static_cast<unsigned>(packet.diagnostic)),
        .state_and_flags = flags,
        .detect_multiplier = packet.detect_multiplier,
        .length = kBfdPacketSize,
        .my_discriminator = packet.my_discriminator,
        .your_discriminator = packet.your_discriminator,
        .desired_min_tx = packet.desired_min_tx_us,
        .required_min_rx = packet.required_min_rx_us,
        .required_min_echo_rx = {}};
    std::array<std::uint8_t, kBfdPacketSize> bytes;
    std::ranges::copy(header_octets(wire), bytes.begin());
    return bytes;
}

}  // namespace bulkhead
