// SPDX-License-Identifier: Apache-2.0
#include "vswitch/base/mac_address.h"

#include <charconv>

namespace bulkhead {

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    constexpr std::size_t kTextLength = 17;
    if (text.size() != kTextLength) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < kTextLength; at += 3) {
        if (at + 2 < kTextLength && text[at + 2] != ':') return std::nullopt;
        unsigned octet = 0;
        const char* first = text.data() + at;
        const auto [end, error] = std::from_chars(first, first + 2, octet, 16);
        if (error != std::errc{} || end != first + 2) return std::nullopt;
        value = value << 8 | octet;
    }
    return MacAddress(value);
}

MacAddress MacAddress::from_octets(const std::uint8_t* octets) {
    std::uint64_t value = 0;
    for (int at = 0; at < 6; ++at) value = value << 8 | octets[at];
    return MacAddress(value);
}

std::array<std::uint8_t, 6> MacAddress::octets() const {
    std::array<std::uint8_t, 6> octets{};
    for (int at = 0; at < 6; ++at) octets[at] = static_cast<std::uint8_t>(value_ >> (40 - 8 * at));
    return octets;
}

std::string MacAddress::to_string() const {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t octet : octets()) {
        if (!text.empty()) text += ':';
        text += kDigits[octet >> 4];
        text += kDigits[octet & 15];
    }
    return text;
}

}  // namespace bulkhead
