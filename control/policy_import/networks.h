// SPDX-License-Identifier: Apache-2.0
// Sets of IP addresses, written as the networks that they consist of.
#pragma once

#include <vector>

#include "vswitch/base/ip_address.h"

namespace bulkhead::policy_import {

/// As merged() makes them equal sets are equal lists: IPv4 first, sorted, host bits 0, none inside another, no two that
/// are the halves of one.
using Networks = std::vector<IpPrefix>;

[[nodiscard]] Networks merged(Networks networks);

/// `network` less the addresses of `holes`, merged.
[[nodiscard]] Networks without(const IpPrefix& network, const Networks& holes);

/// Whether every address of `part` is in `whole`; both merged.
[[nodiscard]] bool covers(const Networks& whole, const Networks& part);

/// Whether every address of `part` is in `whole`.
[[nodiscard]] bool is_inside(const IpPrefix& part, const IpPrefix& whole);

}  // namespace bulkhead::policy_import
