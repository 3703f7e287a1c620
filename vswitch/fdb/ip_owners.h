// SPDX-License-Identifier: Apache-2.0
// Whose an IP address is, as the controller told: (segment, IP) → MAC, of the segments with `arp_suppression`. A part
// of the snapshot: built by control with every new one, then immutable, and read by workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

struct Indices;
struct Model;

class IpOwners {
  public:
    IpOwners() = default;
    /// The `ips` of the model's static entries. Every segment of it has its index.
    IpOwners(const Model& model, const Indices& indices);

    [[nodiscard]] bool is_empty() const noexcept { return slots_.empty(); }
    [[nodiscard]] std::optional<MacAddress> find(SegmentIndex segment, const IpAddress& ip) const noexcept;

  private:
    struct Slot {
        IpAddress ip;
        MacAddress mac;
        SegmentIndex segment = 0;  ///< 0: free
    };

    [[nodiscard]] std::size_t place_of(SegmentIndex segment, const IpAddress& ip) const noexcept;

    /// Open addressing, at most half full; as many as a power of two.
    std::vector<Slot> slots_;
};

}  // namespace bulkhead
