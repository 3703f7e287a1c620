// SPDX-License-Identifier: Apache-2.0
// The MAC table as control reads it: by the names of segments and ports instead of the indices that its words hold.
//
// Threads: control only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/pipeline/learner.h"
#include "vswitch/switch.h"

namespace bulkhead {

class MacNames {
  public:
    explicit MacNames(MacTable& table) : table_(table) {}

    /// Knows these names, too, from now on: call before workers use the indices. Names of what has gone are kept until
    /// their index gets another, so what workers wrote last can still be told.
    void learn(const Indices& indices);

    [[nodiscard]] std::vector<MacEntry> entries(const MacFilter& filter, const MacRange& range,
                                                std::uint32_t now_s) const;
    std::size_t flush(const MacFilter& filter);
    /// Puts back learned entries that entries() gave before a restart, with their age, where they would still stand:
    /// the attachment is there, nothing newer is known of the address, and neither its segment's limit nor its age is
    /// passed. Returns how many.
    std::size_t restore(const std::vector<MacEntry>& entries, const Indices& indices, const Snapshot& snapshot);
    [[nodiscard]] MacEvent describe(const MacChange& change) const;

  private:
    [[nodiscard]] bool matches(const MacFilter& filter, MacKey key, MacValue value) const;
    /// Where a segment's entries stand among those of all segments, by SegmentIndex.
    [[nodiscard]] std::vector<std::uint16_t> ranks() const;

    MacTable& table_;
    std::vector<AttachmentKey> attachments_;  ///< by AttachmentIndex
    std::vector<std::string> segments_;       ///< by SegmentIndex
};

}  // namespace bulkhead
