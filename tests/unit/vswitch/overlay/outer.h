// SPDX-License-Identifier: Apache-2.0
// Tunnelled frames as a remote node makes them, field by field, and read back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/unit/support/frames.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"

namespace bulkhead::test {

/// From remote 192.0.2.2 (MAC 02:00:00:00:00:bb) to the bench's 192.0.2.1 unless told otherwise.
struct OuterSpec {
    Bytes destination = {2, 0, 0, 0, 0, 0xaa};
    std::optional<std::uint16_t> vlan;
    std::string source = "192.0.2.2", local = "192.0.2.1";
    TunnelType type = TunnelType::vxlan;
    std::uint32_t vni = 100;
    std::uint16_t udp_port = kVxlanPort;
    std::uint8_t ecn = 0;
    std::uint16_t fragment = 0x4000;
    std::uint8_t shim_first = 0x08;  ///< VXLAN's flags, or Geneve's version and option length
    std::uint8_t shim_second = 0;    ///< Geneve's flags, or reserved
    std::size_t geneve_options = 0;  ///< octets of one that nobody knows
    Bytes options;                   ///< Geneve's, instead
    std::uint16_t vxlan_group = 0;   ///< the octets 2 and 3 of VXLAN's header
    bool has_udp_checksum = false;
    int udp_length_off = 0, ip_length_off = 0;
    bool breaks_ip_checksum = false, breaks_udp_checksum = false;
    std::size_t padding = 0;  ///< octets behind the packet, of the link
};
[[nodiscard]] Bytes tunnelled(const OuterSpec& spec, const Bytes& inner);

/// An outer header as it stands in `frame`.
struct OuterSeen {
    Bytes destination, source_mac;
    std::optional<std::uint16_t> vlan;
    IpAddress source, remote;
    std::uint8_t traffic_class = 0, ttl = 0;
    std::uint16_t ip_length = 0, udp_source = 0, udp_port = 0, udp_length = 0, udp_checksum = 0;
    std::uint32_t shim = 0;  ///< its first four octets
    std::uint32_t vni = 0;
    std::size_t ip_end = 0;
    bool is_ip_checksum_good = true, is_udp_checksum_good = true;
    Bytes inner;
};
[[nodiscard]] OuterSeen read_outer(const Bytes& frame);

}  // namespace bulkhead::test
