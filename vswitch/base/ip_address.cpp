// SPDX-License-Identifier: Apache-2.0
#include "vswitch/base/ip_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace bulkhead {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

/// Whether the first `bits` of both are the same.
bool share_prefix(const IpAddress::Octets& a, const IpAddress::Octets& b, unsigned bits) {
    const unsigned whole = bits / 8, rest = bits % 8;
    if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

IpAddress IpAddress::from_v4(const std::uint8_t* octets) {
    Octets result;
    std::ranges::copy(kMapped, result.begin());
    std::copy_n(octets, 4, result.begin() + kMapped.size());
    return IpAddress(result);
}

IpAddress IpAddress::from_v6(const std::uint8_t* octets) {
    Octets result;
    std::copy_n(octets, result.size(), result.begin());
    return IpAddress(result);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string terminated(text);
    if (terminated.size() != std::char_traits<char>::length(terminated.c_str())) return std::nullopt;
    std::array<std::uint8_t, 16> octets{};
    if (inet_pton(AF_INET, terminated.c_str(), octets.data()) == 1) return from_v4(octets.data());
    if (inet_pton(AF_INET6, terminated.c_str(), octets.data()) != 1) return std::nullopt;
    const IpAddress address(octets);
    return address.is_v4() ? std::nullopt : std::optional(address);
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4())
        inet_ntop(AF_INET, v4_octets(), text.data(), text.size());
    else
        inet_ntop(AF_INET6, octets_.data(), text.data(), text.size());
    return text.data();
}

bool IpAddress::is_v4() const {
    return std::equal(kMapped.begin(), kMapped.end(), octets_.begin());
}

std::uint32_t IpAddress::v4_value() const {
    std::uint32_t value = 0;
    for (unsigned at = 12; at < 16; ++at) value = value << 8 | octets_[at];
    return value;
}

bool IpAddress::is_unspecified() const {
    return is_v4() ? v4_value() == 0 : *this == IpAddress();
}
bool IpAddress::is_multicast() const {
    return is_v4() ? v4_value() >> 28 == 0xe : octets_[0] == 0xff;
}
bool IpAddress::is_broadcast() const {
    return is_v4() && v4_value() == 0xffff'ffff;
}
bool IpAddress::is_loopback() const {
    if (is_v4()) return v4_value() >> 24 == 127;
    return octets_[15] == 1 && std::all_of(octets_.begin(), octets_.end() - 1, [](auto octet) { return octet == 0; });
}
bool IpAddress::is_link_local() const {
    return is_v4() ? v4_value() >> 16 == 0xa9fe : octets_[0] == 0xfe && (octets_[1] & 0xc0) == 0x80;
}
bool IpAddress::is_usable() const {
    return !is_unspecified() && !is_multicast() && !is_broadcast() && !is_loopback();
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, slash));
    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (!address || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    if (length > (address->is_v4() ? 32U : 128U)) return std::nullopt;
    return IpPrefix{*address, static_cast<std::uint8_t>(length)};
}

std::string IpPrefix::to_string() const {
    return address.to_string() + "/" + std::to_string(length);
}

bool IpPrefix::contains(const IpAddress& other) const {
    if (address.is_v4() != other.is_v4()) return false;
    return share_prefix(address.octets(), other.octets(), length + (address.is_v4() ? kMappedBits : 0U));
}

bool is_network(const IpPrefix& prefix) {
    constexpr unsigned kBits = 128;
    const unsigned network = prefix.length + (prefix.address.is_v4() ? kMappedBits : 0U);
    if (network + 2 > kBits) return false;
    const auto& octets = prefix.address.octets();
    for (unsigned bit = network; bit < kBits; ++bit)
        if ((octets[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
    return true;
}

}  // namespace bulkhead
