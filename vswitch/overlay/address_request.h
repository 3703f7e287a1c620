// SPDX-License-Identifier: Apache-2.0
// Requests for a station's MAC, and the answers that the switch gives in the station's place: ARP (RFC 826) and
// Neighbor Discovery (RFC 4861), as the proxy of an EVPN node does (RFC 9161).
//
// Threads: any. Nothing here allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/packet/arp.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead {

struct AddressRequest {
    MacAddress asker;
    /// 0.0.0.0 or ::: it is asked whether the address is still free (RFC 5227, section 2.1.1; RFC 4862, section 5.4.2).
    IpAddress asker_ip;
    IpAddress target;
};

/// Of an ARP request, or a Neighbor Solicitation to a group of nodes. None for anything else, for what the RFCs tell to
/// discard (RFC 4861, section 7.1.1), for a station that announces its own address, and for a solicitation in more than
/// kLongestRequest octets. `source` is the frame's; `payload` follows its EtherType, with what padding there is.
[[nodiscard]] std::optional<AddressRequest> parse_address_request(std::uint16_t ethertype, MacAddress source,
                                                                  std::span<const std::uint8_t> payload) noexcept;
inline constexpr std::size_t kLongestRequest = 256;

/// What follows the EtherType of the answer, which is that of the request.
struct AddressAnswer {
    static constexpr std::size_t kMost = sizeof(Ipv6Header) + sizeof(NeighborMessageHeader) + sizeof(NdMacOption);

    MacAddress destination;
    std::size_t length = 0;
    std::array<std::uint8_t, kMost> octets{};
};

[[nodiscard]] AddressAnswer answer_of(const AddressRequest& request, MacAddress owner) noexcept;

}  // namespace bulkhead
