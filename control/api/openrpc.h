// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

namespace bulkhead::api {

/// The method table as an OpenRPC 1.2.6 document (https://spec.open-rpc.org), the answer of rpc.discover. Beyond the
/// standard: `x-role` (who may call), `x-built-in` (false: answers `not_built_in`), `x-immutable` on properties.
[[nodiscard]] nlohmann::json open_rpc_document();

}  // namespace bulkhead::api
