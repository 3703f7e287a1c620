// SPDX-License-Identifier: Apache-2.0
// What the station behind an attachment may say it is ("macs", "ips", "security", "guards"), compiled for workers. A
// part of the snapshot: built by control with every new one, then immutable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vswitch/model/model.h"

namespace bulkhead {

class StationRules {
  public:
    explicit StationRules(const Attachment& attachment);

    [[nodiscard]] bool checks_macs() const noexcept { return checks_macs_; }
    [[nodiscard]] bool checks_ips() const noexcept { return checks_ips_; }
    [[nodiscard]] bool forbids_router() const noexcept { return forbids_router_; }
    [[nodiscard]] bool forbids_dhcp_server() const noexcept { return forbids_dhcp_server_; }

    [[nodiscard]] bool owns(std::uint64_t mac) const noexcept {
        return macs_.size() == 1 ? macs_[0] == mac : std::ranges::binary_search(macs_, mac);
    }
    /// `address` has the first octet highest.
    [[nodiscard]] bool owns_ipv4(std::uint32_t address) const noexcept {
        return std::ranges::any_of(ipv4_, [address](const Ipv4Net& net) { return (address & net.mask) == net.value; });
    }
    /// Sixteen octets as they stand in a packet.
    [[nodiscard]] bool owns_ipv6(const std::uint8_t* address) const noexcept;
    bool operator==(const StationRules&) const = default;

  private:
    struct Ipv4Net {
        std::uint32_t value, mask;
        bool operator==(const Ipv4Net&) const = default;
    };
    struct Ipv6Net {
        std::uint64_t value[2], mask[2];
        bool operator==(const Ipv6Net&) const = default;
    };

    void add(const IpPrefix& prefix);
    void add_ipv6(const IpAddress& address, unsigned bits);

    bool checks_macs_, checks_ips_;
    bool forbids_router_, forbids_dhcp_server_;
    std::vector<std::uint64_t> macs_;  ///< sorted
    std::vector<Ipv4Net> ipv4_;
    std::vector<Ipv6Net> ipv6_;  ///< with the link-local addresses that are made of `macs_` (RFC 4291, appendix A)
};

}  // namespace bulkhead
