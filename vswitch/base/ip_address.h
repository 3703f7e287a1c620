// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses as one type.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bulkhead {

/// Sixteen octets in transmission order; an IPv4 address is kept as an IPv4-mapped one (RFC 4291, section 2.5.5.2), so
/// that both kinds sort and compare as one. The default is the unspecified IPv6 address.
class IpAddress {
  public:
    using Octets = std::array<std::uint8_t, 16>;

    constexpr IpAddress() = default;
    constexpr explicit IpAddress(const Octets& octets) : octets_(octets) {}
    /// `value` has the first octet highest.
    [[nodiscard]] static constexpr IpAddress v4(std::uint32_t value) {
        Octets octets{};
        octets[10] = octets[11] = 0xff;
        for (unsigned at = 0; at < 4; ++at) octets[12 + at] = static_cast<std::uint8_t>(value >> (24 - 8 * at));
        return IpAddress(octets);
    }
    /// From 4 octets as they stand in a packet.
    [[nodiscard]] static IpAddress from_v4(const std::uint8_t* octets);
    /// From 16 octets as they stand in a packet.
    [[nodiscard]] static IpAddress from_v6(const std::uint8_t* octets);

    /// Reads "192.0.2.1" or the forms of RFC 4291, section 2.2, nothing else: no zone, no prefix. An IPv4-mapped IPv6
    /// address is refused, since it could not be told from the IPv4 address.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;  ///< dotted, or as RFC 5952 wants it

    [[nodiscard]] bool is_v4() const;
    [[nodiscard]] std::uint32_t v4_value() const;  ///< of an IPv4 address, the first octet highest
    [[nodiscard]] const std::uint8_t* v4_octets() const { return octets_.data() + 12; }
    [[nodiscard]] const Octets& octets() const { return octets_; }

    [[nodiscard]] bool is_unspecified() const;  ///< 0.0.0.0 or ::
    [[nodiscard]] bool is_multicast() const;    ///< 224.0.0.0/4 or ff00::/8
    [[nodiscard]] bool is_broadcast() const;    ///< 255.255.255.255
    [[nodiscard]] bool is_loopback() const;     ///< 127.0.0.0/8 or ::1
    [[nodiscard]] bool is_link_local() const;   ///< 169.254.0.0/16 or fe80::/10
    /// What a single node can have as its own: none of the above but link-local.
    [[nodiscard]] bool is_usable() const;

    auto operator<=>(const IpAddress&) const = default;

  private:
    Octets octets_{};
};

/// An address and the length of its network, as in "192.0.2.1/24": the host part is kept.
struct IpPrefix {
    IpAddress address;
    std::uint8_t length = 0;  ///< bits of the address's own family: at most 32 or 128

    [[nodiscard]] static std::optional<IpPrefix> parse(std::string_view text);  ///< CIDR; the length must be there
    [[nodiscard]] std::string to_string() const;
    /// Whether `other` is of the same family and network.
    [[nodiscard]] bool contains(const IpAddress& other) const;

    auto operator<=>(const IpPrefix&) const = default;
};

/// Whether it says a whole network and not one address in it: all bits of the host part are 0, and these are at least
/// two (with one, RFC 3021 and RFC 6164, both addresses are hosts').
[[nodiscard]] bool is_network(const IpPrefix& prefix);

}  // namespace bulkhead
