// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

/// Whether the whole model can be put in force: names, ranges, references and everything that two objects must not
/// share (VNIs, VLANs of one port, MACs of one segment, socket paths, interface names). Looks at no device. The first
/// thing wrong is the Error, with object_kind, object_name and a field within that object.
[[nodiscard]] Result<> validate(const Model& model);

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,62}`
[[nodiscard]] bool is_valid_name(std::string_view name);

}  // namespace bulkhead
