// SPDX-License-Identifier: Apache-2.0
// What a state file looks like. Its first line is a header,
//   {"format":1,"generation":N,"length":bytes of the body,"crc32":"8 hexadecimal digits"}
// and the body, JSON text that is opaque here, fills the rest to the last byte. The CRC-32 (IEEE 802.3, zlib's) is that
// of the header up to its "crc32" and of the body, so that no single bit of either can change unnoticed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vswitch/base/result.h"

namespace bulkhead {

struct SavedState {
    std::uint64_t generation = 0;
    std::string body;

    bool operator==(const SavedState&) const = default;
};

[[nodiscard]] std::string encode_state(std::uint64_t generation, std::string_view body);

/// The error's message says what is wrong, to follow "FILE is damaged: " or, with code not_built_in, "FILE ".
[[nodiscard]] Result<SavedState> decode_state(std::string_view content);

}  // namespace bulkhead
