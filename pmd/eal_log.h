// SPDX-License-Identifier: Apache-2.0
// DPDK's own log, led into ours, two steps quieter: what DPDK calls an error is a warning here, because the switch says
// itself, in the words of the configuration, what could not be done.
#pragma once

#include <string>

namespace bulkhead {

/// From now on. Call before EAL starts; once a process. DPDK may log on any thread.
void redirect_eal_log();

/// The first line DPDK logged as an error since the errors were forgotten, without its end of line: the detail that
/// rte_errno lacks. (Those after it only say that the one before it failed.)
std::string first_eal_error();
void forget_eal_errors();

}  // namespace bulkhead
