// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "vswitch/fdb/mac_entry.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

/// What becomes of a frame's source address.
enum class SourceFate : std::uint8_t {
    seen,     ///< known where it came from
    stays,    ///< known elsewhere: this comes back from a middlebox
    owned,    ///< bound to another attachment: the frame is dropped
    learned,  ///< new, or moved
};

/// `known` is what the MAC table says of it.
[[nodiscard]] inline SourceFate source_fate(MacValue known, AttachmentIndex ingress,
                                            const Snapshot& snapshot) noexcept {
    if (known.attachment() == ingress) return SourceFate::seen;
    if (known.exists() && snapshot.attachments[ingress].is_middlebox) return SourceFate::stays;
    return known.exists() && known.is_static() ? SourceFate::owned : SourceFate::learned;
}

}  // namespace bulkhead
