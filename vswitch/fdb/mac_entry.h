// SPDX-License-Identifier: Apache-2.0
// The two words of an entry of the MAC table.
#pragma once

#include <cstdint>

#include "vswitch/base/ids.h"
#include "vswitch/base/mac_address.h"

namespace bulkhead {

/// Segment in the high 16 bits, MAC in the low 48. Never 0: segment indices begin at 1.
using MacKey = std::uint64_t;

[[nodiscard]] constexpr MacKey mac_key(SegmentIndex segment, std::uint64_t mac) noexcept {
    return static_cast<std::uint64_t>(segment) << 48 | mac;
}
[[nodiscard]] constexpr SegmentIndex segment_of(MacKey key) noexcept {
    return static_cast<SegmentIndex>(key >> 48);
}
[[nodiscard]] constexpr MacAddress mac_of(MacKey key) noexcept {
    return MacAddress(key);
}

/// The value word: attachment 16, flags 16, last seen 32 (seconds of the table's clock).
class MacValue {
  public:
    constexpr MacValue() = default;
    constexpr explicit MacValue(std::uint64_t word) : word_(word) {}
    constexpr MacValue(AttachmentIndex attachment, bool is_static, std::uint32_t seen_s)
        : word_(static_cast<std::uint64_t>(attachment) << 48 | (is_static ? kStatic : 0) | seen_s) {}

    [[nodiscard]] constexpr AttachmentIndex attachment() const { return static_cast<AttachmentIndex>(word_ >> 48); }
    [[nodiscard]] constexpr bool is_static() const { return (word_ & kStatic) != 0; }
    [[nodiscard]] constexpr std::uint32_t seen_s() const { return static_cast<std::uint32_t>(word_); }
    [[nodiscard]] constexpr std::uint64_t word() const { return word_; }
    /// No entry: an attachment that does not exist.
    [[nodiscard]] static constexpr MacValue none() { return {kNoAttachment, false, 0}; }
    [[nodiscard]] constexpr bool exists() const { return attachment() != kNoAttachment; }

  private:
    static constexpr std::uint64_t kStatic = 1ULL << 32;
    std::uint64_t word_ = 0;
};

}  // namespace bulkhead
