// SPDX-License-Identifier: Apache-2.0
// Small dense indices by which the data path names configured objects. Control hands them out (model/indices.h); one is
// used again only after every worker and every table has forgotten its last owner.
#pragma once

#include <cstdint>

namespace bulkhead {

using SegmentIndex = std::uint16_t;
using PortIndex = std::uint16_t;
using AttachmentIndex = std::uint16_t;

using NextHopIndex = std::uint16_t;
using RuleIndex = std::uint16_t;
using MirrorIndex = std::uint16_t;
/// Number of a group in its segment, the same on every node.
using GroupId = std::uint16_t;

inline constexpr SegmentIndex kNoSegment = 0xffff;
inline constexpr PortIndex kNoPort = 0xffff;
inline constexpr AttachmentIndex kNoAttachment = 0xffff;
inline constexpr RuleIndex kNoRule = 0xffff;
inline constexpr GroupId kNoGroupId = 0;

/// Bounds of the dense tables; configuration beyond them is refused with `limit`.
inline constexpr std::uint16_t kMaxSegments = 16384;
inline constexpr std::uint16_t kMaxPorts = 4096;
inline constexpr std::uint16_t kMaxAttachments = 32768;
inline constexpr std::uint16_t kMaxRules = 16384;   ///< of all segments
inline constexpr std::uint16_t kMirrorRows = 1024;  ///< of mirrors and rules that mirror, old and new ones
inline constexpr std::uint16_t kMaxWorkers = 64;
inline constexpr std::uint16_t kMaxUnderlays = 2;

inline constexpr std::uint16_t kVlanIds = 4096;  ///< IEEE 802.1Q: a 12-bit identifier
inline constexpr std::uint16_t kMinVlan = 1;
inline constexpr std::uint16_t kMaxVlan = 4094;

}  // namespace bulkhead
