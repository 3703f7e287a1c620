// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "control/policy_import/network_policy.h"

namespace bulkhead::policy_import {
namespace {

bool holds(const Requirement& requirement, const Labels& labels) {
    const auto label = labels.find(requirement.key);
    const bool has_key = label != labels.end();
    const bool is_listed = has_key && std::ranges::find(requirement.values, label->second) != requirement.values.end();
    switch (requirement.op) {
        case Requirement::Operator::in:
            return is_listed;
        case Requirement::Operator::not_in:
            return !is_listed;
        case Requirement::Operator::exists:
            return has_key;
        case Requirement::Operator::does_not_exist:
            return !has_key;
    }
    return false;
}

}  // namespace

bool matches(const Selector& selector, const Labels& labels) {
    return std::ranges::all_of(selector.requirements, [&](const Requirement& one) { return holds(one, labels); });
}

}  // namespace bulkhead::policy_import
