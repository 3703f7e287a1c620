// SPDX-License-Identifier: Apache-2.0
// Integers as they stand in a packet, for header structures: without alignment, and not to be mixed up with the host's.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace bulkhead {

template <typename Unsigned>
class BigEndian {
  public:
    constexpr BigEndian() = default;
    constexpr BigEndian(Unsigned value) {  // NOLINT(google-explicit-constructor): a header is filled in with numbers
        for (std::size_t at = 0; at < sizeof value; ++at)
            octets_[at] = static_cast<std::uint8_t>(value >> (8 * (sizeof value - 1 - at)));
    }
    [[nodiscard]] constexpr Unsigned value() const noexcept {
        Unsigned value = 0;
        for (const std::uint8_t octet : octets_) value = static_cast<Unsigned>(value << 8 | octet);
        return value;
    }

  private:
    std::array<std::uint8_t, sizeof(Unsigned)> octets_{};
};

using BigEndian16 = BigEndian<std::uint16_t>;
using BigEndian32 = BigEndian<std::uint32_t>;
static_assert(sizeof(BigEndian16) == 2 && alignof(BigEndian16) == 1);
static_assert(sizeof(BigEndian32) == 4 && alignof(BigEndian32) == 1);

/// The header at the start of `bytes`; none if they are too few.
template <typename Header>
[[nodiscard]] std::optional<Header> read_header(std::span<const std::uint8_t> bytes) noexcept {
    static_assert(std::is_trivially_copyable_v<Header> && alignof(Header) == 1);
    if (bytes.size() < sizeof(Header)) return std::nullopt;
    Header header;
    std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
    return header;
}

/// A header as the octets it is made of.
template <typename Header>
[[nodiscard]] std::span<const std::uint8_t> header_octets(const Header& header) noexcept {
    static_assert(std::is_trivially_copyable_v<Header> && alignof(Header) == 1);
    return {reinterpret_cast<const std::uint8_t*>(&header), sizeof header};
}

}  // namespace bulkhead
