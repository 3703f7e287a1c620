// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bulkhead {

/// An IEEE 802 MAC address, octets in transmission order. `value()` is the 48-bit number with the first octet highest.
class MacAddress {
  public:
    constexpr MacAddress() = default;
    constexpr explicit MacAddress(std::uint64_t value) : value_(value & 0xffff'ffff'ffffULL) {}

    /// Reads "02:00:00:00:00:0a" (any case; six groups of two hexadecimal digits), nothing else.
    static std::optional<MacAddress> parse(std::string_view text);
    static MacAddress from_octets(const std::uint8_t* octets);

    [[nodiscard]] std::string to_string() const;  ///< lower case, colons
    [[nodiscard]] std::array<std::uint8_t, 6> octets() const;
    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
    [[nodiscard]] constexpr bool is_multicast() const { return ((value_ >> 40) & 1) != 0; }  ///< broadcast included
    [[nodiscard]] constexpr bool is_zero() const { return value_ == 0; }

    auto operator<=>(const MacAddress&) const = default;

  private:
    std::uint64_t value_ = 0;
};

}  // namespace bulkhead
