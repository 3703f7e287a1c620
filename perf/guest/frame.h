// SPDX-License-Identifier: Apache-2.0
// The frames: UDP over IPv4 from one station to another, the same for ever but for a stamp.
#pragma once

#include <cstdint>
#include <span>

namespace bulkhead::guest {

/// Writes a frame as long as `bytes`, the stamp zero.
void write_frame(std::span<std::uint8_t> bytes, std::uint16_t to, std::uint16_t by);

/// When the frame was sent, in the sender's TSC.
void stamp(std::uint8_t* frame, std::uint64_t tsc);

/// 0 if this is no frame of ours, or an unstamped one.
[[nodiscard]] std::uint64_t stamp_of(const std::uint8_t* frame, std::uint32_t bytes);

}  // namespace bulkhead::guest
