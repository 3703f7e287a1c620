// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071) of bytes that are at hand, without mbufs.
#pragma once

#include <cstdint>
#include <span>

#include "vswitch/base/ip_address.h"

namespace bulkhead {

/// Over bytes that hold their checksum already, value() is 0 if it is right.
class InternetChecksum {
  public:
    /// Only the last piece may have an odd length.
    void add(std::span<const std::uint8_t> bytes) noexcept;
    /// The pseudo header of IPv4 (RFC 9293, section 3.1) or IPv6 (RFC 8200, section 8.1); both addresses of one family.
    void add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                           std::uint32_t length) noexcept;
    [[nodiscard]] std::uint16_t value() const noexcept;  ///< what goes into the field, which was summed as 0

  private:
    std::uint64_t sum_ = 0;
};

[[nodiscard]] std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes) noexcept;
/// Of a whole ICMPv6 message, with its pseudo header (RFC 4443, section 2.3).
[[nodiscard]] std::uint16_t icmpv6_checksum(const IpAddress& source, const IpAddress& destination,
                                            std::span<const std::uint8_t> message) noexcept;

}  // namespace bulkhead
