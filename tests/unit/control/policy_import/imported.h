// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

#include "control/policy_import/import.h"
#include "control/policy_import/read_policies.h"

namespace bulkhead::policy_import {

/// The import of two texts that are known to be good.
[[nodiscard]] inline Import imported(const std::string& policies, const std::string& labels,
                                     const std::string& segment = "blue") {
    const auto read = read_policies(policies);
    if (!read) throw std::runtime_error(text_of(read.error()));
    const auto cluster = read_cluster(labels);
    if (!cluster) throw std::runtime_error(text_of(cluster.error()));
    auto result = translate(*read, *cluster, segment);
    if (!result) throw std::runtime_error(text_of(result.error()));
    return std::move(*result);
}

}  // namespace bulkhead::policy_import
