// SPDX-License-Identifier: Apache-2.0
// From connections to what they are called, and from a filter by names to the connections that it means. Made for one
// answer: neither the indices nor the snapshot must change meanwhile.
//
// Threads: control.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/policy/connection_report.h"

namespace bulkhead {

class ConnectionNames {
  public:
    ConnectionNames(const Indices& indices, const Snapshot& snapshot, std::uint32_t now_s);

    [[nodiscard]] ConnectionInfo describe(std::size_t place, const Connection& connection) const;

  private:
    [[nodiscard]] std::string rule_of(const Connection& connection) const;

    const Snapshot& snapshot_;
    std::uint32_t now_s_;
    std::vector<const std::string*> segments_, ports_;               ///< by index
    std::vector<const std::pair<std::string, std::string>*> rules_;  ///< likewise
};

/// Those that are not over and that the filter means. A name that is nobody's means none.
class ConnectionMatch {
  public:
    ConnectionMatch(const ConnectionFilter& filter, const Indices& indices, std::uint32_t now_s);
    [[nodiscard]] bool operator()(const Connection& connection) const;

  private:
    const ConnectionFilter& filter_;
    SegmentIndex segment_ = kNoSegment;  ///< without meaning where the filter names none; so with the port
    PortIndex port_ = kNoPort;
    std::uint32_t now_s_;
};

}  // namespace bulkhead
