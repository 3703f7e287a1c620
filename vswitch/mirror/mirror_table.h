// SPDX-License-Identifier: Apache-2.0
// Who observes what: a part of the snapshot. What is not open, as source or to take copies, is not in it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/policy/group_classes.h"
#include "vswitch/policy/rule_set.h"

namespace bulkhead {

/// Where copies go.
struct MirrorTarget {
    PortIndex port = kNoPort;  ///< a port's, or a tunnel's
    std::uint32_t vni = 0;     ///< of the copies in the tunnel; 0: it is a port
    bool operator==(const MirrorTarget&) const = default;
};

/// A mirror, or a rule that mirrors.
struct MirrorEntry {
    MirrorIndex index = 0;     ///< of its counters
    std::uint16_t target = 0;  ///< its place in MirrorTable::targets
    std::uint32_t snaplen = UINT32_MAX;
};

/// Places in MirrorTable::entries.
using MirrorList = std::vector<std::uint16_t>;

/// The mirrors of a port or a segment.
struct MirrorSource {
    MirrorList in;       ///< of what comes in
    MirrorList out;      ///< of what leaves
    MirrorList answers;  ///< of what the switch says itself. In a segment all else has come in before it leaves
};

/// The rules of a segment that mirror. They are asked apart from those that decide, about every frame and without
/// state, so that these are as they would be without them.
struct SegmentMirrors {
    std::shared_ptr<const RuleSet> rules;        ///< at most 64; may be those of the snapshot before
    std::shared_ptr<const GroupClasses> groups;  ///< null: no tunnel of the segment is trusted to name them
    bool asks_receiver = false;                  ///< some rule names groups of receivers
    MirrorList mirrors;                          ///< by rule; kNoMirror: its port is not open
};
inline constexpr std::uint16_t kNoMirror = 0xffff;

struct MirrorTable {
    std::vector<MirrorEntry> entries;
    std::vector<MirrorTarget> targets;
    std::vector<MirrorSource> ports;                           ///< by PortIndex
    std::vector<MirrorSource> segments;                        ///< by SegmentIndex
    std::vector<MirrorList> decided;                           ///< by RuleIndex; empty: no rule is a source
    std::vector<std::shared_ptr<const SegmentMirrors>> rules;  ///< by SegmentIndex; empty: no rule mirrors
};

}  // namespace bulkhead
