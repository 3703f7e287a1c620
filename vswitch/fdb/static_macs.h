// SPDX-License-Identifier: Apache-2.0
// The static entries of the MAC table: those of the attachments' `macs` and those that fdb.add placed.
//
// Threads: control only.
#pragma once

#include <cstddef>
#include <map>

#include "vswitch/base/result.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"

namespace bulkhead {

class StaticMacs {
  public:
    using Entries = std::map<MacKey, AttachmentIndex>;

    explicit StaticMacs(MacTable& table) : table_(table) {}

    /// What the model asks for. Every attachment of it has its index.
    [[nodiscard]] static Entries wanted(const Model& model, const Indices& indices);

    /// Makes these the static entries of the table: all of them, or the table stays as it was (`limit`).
    Result<> replace(Entries wanted);

    [[nodiscard]] std::size_t size() const { return placed_.size(); }
    [[nodiscard]] std::size_t size(SegmentIndex segment) const;

  private:
    MacTable& table_;
    Entries placed_;
};

}  // namespace bulkhead
