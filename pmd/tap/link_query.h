// SPDX-License-Identifier: Apache-2.0
// What the kernel knows about a link, asked by name over rtnetlink in the calling thread's network namespace.
// Source: rtnetlink(7), linux/if_link.h (IFLA_LINKINFO, IFLA_TUN_*).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vswitch/base/result.h"

namespace bulkhead {

struct LinkInfo {
    std::string kind;              ///< "tun", "veth", "bridge", …; empty for physical devices
    bool tap = false;              ///< kind "tun" in Ethernet mode
    bool multi_queue = false;      ///< TUN only
    std::uint32_t tun_queues = 0;  ///< TUN only: descriptors attached at this moment, of any process
};

/// None when there is no link of that name.
Result<std::optional<LinkInfo>> query_link(const std::string& name);

}  // namespace bulkhead
