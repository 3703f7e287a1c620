// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "vswitch/verify/segment_rules.h"
#include "vswitch/verify/verification.h"

namespace bulkhead {

/// Kinds of frames (ascending, of SegmentRules::kinds) by EtherType, protocol and ICMP type. Where all kinds of a
/// protocol that open something are among them, its others go without saying; so does ARP beside all that is not IP.
[[nodiscard]] std::vector<Traffic> words_of_kinds(const std::vector<std::uint16_t>& kinds, const SegmentRules& rules);

}  // namespace bulkhead
