// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/checksum.h"

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

void InternetChecksum::add(std::span<const std::uint8_t> bytes) noexcept {
    std::size_t at = 0;
    for (; at + 1 < bytes.size(); at += 2) sum_ += load_big_endian<std::uint16_t>(bytes.data() + at);
    if (at < bytes.size()) sum_ += static_cast<std::uint16_t>(bytes[at] << 8);
}

void InternetChecksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                         std::uint32_t length) noexcept {
    for (const IpAddress* address : {&source, &destination}) {
        const std::span<const std::uint8_t> octets(address->octets());
        add(address->is_v4() ? octets.last(4) : octets);
    }
    sum_ += protocol;
    sum_ += length;
}

std::uint16_t InternetChecksum::value() const noexcept {
    std::uint64_t sum = sum_;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes) noexcept {
    InternetChecksum checksum;
    checksum.add(bytes);
    return checksum.value();
}

std::uint16_t icmpv6_checksum(const IpAddress& source, const IpAddress& destination,
                              std::span<const std::uint8_t> message) noexcept {
    InternetChecksum checksum;
    checksum.add_pseudo_header(source, destination, kProtocolIcmpv6, static_cast<std::uint32_t>(message.size()));
    checksum.add(message);
    return checksum.value();
}

}  // namespace bulkhead
