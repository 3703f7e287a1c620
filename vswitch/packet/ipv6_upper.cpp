// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/ipv6_upper.h"

#include <cstddef>

#include "vswitch/packet/ethernet.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {
namespace {

// https://www.iana.org/assignments/ipv6-parameters, "IPv6 Extension Header Types".
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kDestinationOptions = 60,
                       kMobility = 135, kHostIdentity = 139, kShim6 = 140;

/// Octets of the extension header that `at` points to; 0 if it is none.
std::size_t extension_length(std::uint8_t type, const std::uint8_t* at) noexcept {
    switch (type) {
        case kFragment:
            return 8;
        case kAuthentication:  // RFC 4302, section 2.2: in words of 4 octets, less 2
            return (at[1] + 2UL) * 4;
        case kHopByHop:
        case kRouting:
        case kDestinationOptions:
        case kMobility:
        case kHostIdentity:
        case kShim6:  // RFC 6564: in units of 8 octets, not counting the first
            return (at[1] + 1UL) * 8;
        default:
            return 0;
    }
}

bool is_extension(std::uint8_t type) noexcept {
    constexpr std::uint8_t kAny[2] = {};
    return extension_length(type, kAny) != 0;
}

}  // namespace

std::optional<Ipv6Upper> find_ipv6_upper(std::span<const std::uint8_t> packet) noexcept {
    constexpr std::size_t kShortest = 8;
    constexpr std::uint16_t kMoreFragments = 1;
    constexpr std::uint16_t kOffset = 0xfff8;  // RFC 8200, section 4.5: in units of 8 octets
    Ipv6Upper upper{.protocol = packet[offsetof(Ipv6Header, next_header)], .offset = kIpv6Header};
    for (std::size_t headers = 0; is_extension(upper.protocol); ++headers) {
        if (headers == kMostExtensionHeaders || packet.size() < upper.offset + kShortest) return std::nullopt;
        const std::uint8_t* const header = packet.data() + upper.offset;
        const std::size_t length = extension_length(upper.protocol, header);
        if (packet.size() < upper.offset + length) return std::nullopt;
        if (upper.protocol == kFragment) {
            upper.is_fragment = true;
            const auto field = load_big_endian<std::uint16_t>(header + 2);
            upper.fragment_offset = field & kOffset;
            upper.is_later_fragment = upper.fragment_offset != 0;
            upper.has_more_fragments = (field & kMoreFragments) != 0;
            upper.fragment = load_big_endian<std::uint32_t>(header + 4);
        }
        upper.protocol = header[0];
        upper.offset += length;
        if (upper.is_later_fragment) break;
    }
    return upper;
}

}  // namespace bulkhead
