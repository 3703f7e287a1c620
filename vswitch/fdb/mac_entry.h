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

/// The value word: attachment 16, version 15, static 1, last seen 32 (seconds of the table's clock).
///
/// The version counts what has been written to the slot that the value is in, so that a reader can tell whether the
/// slot went to another key and came back between two looks.
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
    /// The same as what comes after `former` in its slot.
    [[nodiscard]] constexpr MacValue after(MacValue former) const {
        return MacValue((word_ & ~kVersion) | ((former.word_ + kVersionStep) & kVersion));
    }
    /// The same entry, seen at another time.
    [[nodiscard]] constexpr MacValue seen_at(std::uint32_t seconds) const {
        return MacValue((word_ & ~std::uint64_t{kSeen}) | seconds);
    }
    /// Bits in which two values differ, apart from the version.
    [[nodiscard]] constexpr std::uint64_t difference(MacValue other) const { return (word_ ^ other.word_) & ~kVersion; }
    /// All but the time, which readers set: the same for as long as no writer comes by.
    [[nodiscard]] constexpr std::uint64_t written() const { return word_ >> 32; }
    /// No entry: an attachment that does not exist.
    [[nodiscard]] static constexpr MacValue none() { return {kNoAttachment, false, 0}; }
    [[nodiscard]] constexpr bool exists() const { return attachment() != kNoAttachment; }

  private:
    static constexpr std::uint64_t kSeen = 0xffff'ffff;
    static constexpr std::uint64_t kStatic = 1ULL << 32;
    static constexpr std::uint64_t kVersionStep = 1ULL << 33;
    static constexpr std::uint64_t kVersion = 0xffff'ffff'ffffULL & ~(kStatic | kSeen);
    std::uint64_t word_ = 0;
};

}  // namespace bulkhead
