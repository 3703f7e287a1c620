// SPDX-License-Identifier: Apache-2.0
// The files of an import as values.
#pragma once

#include <string>
#include <vector>

#include "control/policy_import/network_policy.h"
#include "vswitch/base/result.h"

namespace bulkhead::policy_import {

/// Every MultiNetworkPolicy of a file, those in Lists, too. Strict: what is of another kind, or has a field that is not
/// known here, is refused, since a policy that is not understood would be a hole. The error names the document
/// (`object_kind`, `object_name`) and the field in it.
[[nodiscard]] Result<std::vector<NetworkPolicy>> read_policies(const std::string& text);

/// The labels file: {"ports": {NAME: {"namespace", "labels"}}, "namespaces": {NAME: {"labels"}}}.
[[nodiscard]] Result<Cluster> read_cluster(const std::string& text);

/// The refusal in a line: `document 2 (shop/web): /spec/ingress/0/ports/0/port: …; got …; allowed …`.
[[nodiscard]] std::string text_of(const Error& error);

}  // namespace bulkhead::policy_import
