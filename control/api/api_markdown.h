// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace bulkhead::api {

/// docs/api.md: the contract as people read it, made from the method table, the fields, the error codes and the drop
/// reasons. A unit test compares it with the file, so that the file can't go stale.
[[nodiscard]] std::string api_markdown();

}  // namespace bulkhead::api
