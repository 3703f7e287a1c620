// SPDX-License-Identifier: Apache-2.0
#include "vswitch/base/drop_reason.h"

#include <array>

namespace bulkhead {
namespace {

struct Text {
    std::string_view name;
    std::string_view help;
};

constexpr std::array<Text, kDropReasons> kTexts = {{{"none", "not dropped"},
#define X(name, help) {#name, help},
                                                    BULKHEAD_DROP_REASONS(X)
#undef X
}};

}  // namespace

std::string_view to_string(DropReason reason) {
    return kTexts[static_cast<std::size_t>(reason)].name;
}

std::string_view describe(DropReason reason) {
    return kTexts[static_cast<std::size_t>(reason)].help;
}

std::optional<DropReason> drop_reason_from(std::string_view name) {
    for (std::size_t at = 1; at < kDropReasons; ++at)
        if (kTexts[at].name == name) return static_cast<DropReason>(at);
    return std::nullopt;
}

}  // namespace bulkhead
