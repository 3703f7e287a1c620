// SPDX-License-Identifier: Apache-2.0
// Doing a few system calls inside another network namespace. Source: setns(2), ioctl_ns(2), network_namespaces(7).
#pragma once

#include <functional>
#include <string>

#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead {

/// Opens `path` for reading and makes sure that it is a network namespace, and not the daemon's own. An empty path
/// gives no descriptor and means the daemon's own. Errors have field `/netns`; a namespace that is not there is
/// retryable.
Result<UniqueFd> open_network_namespace(const std::string& path);

/// Whether `path` still leads to that namespace: one that was deleted lives on while somebody holds a descriptor of it,
/// and another of the same name is another. Without a descriptor: true.
[[nodiscard]] bool leads_to(const std::string& path, const UniqueFd& network_namespace);

/// Runs `work` on a thread of its own, inside the namespace (or where we are, when there is no descriptor), and waits
/// for it. Descriptors it opens keep belonging to that namespace, whoever uses them later.
Result<> run_in_namespace(const UniqueFd& network_namespace, const std::function<Result<>()>& work);

}  // namespace bulkhead
