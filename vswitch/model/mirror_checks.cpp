// SPDX-License-Identifier: Apache-2.0
// Rules that a mirror must keep by itself.
#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

Result<> check_source(const Mirror& mirror) {
    constexpr const char* kSources = "one of port, segment, and policy with its segment";
    if (mirror.port.empty() && mirror.segment.empty()) {
        if (!mirror.policy.empty())
            return refused("/segment", "is missing: rules have their names in a segment", kNothing,
                           "the segment of rule " + in_quotes(mirror.policy));
        return refused("/port", "is missing: the mirror has no source", kNothing, kSources);
    }
    if (mirror.port.empty()) return {};
    if (!mirror.segment.empty()) return refused("/segment", "stands beside port", in_quotes(mirror.segment), kSources);
    if (!mirror.policy.empty()) return refused("/policy", "stands beside port", in_quotes(mirror.policy), kSources);
    return {};
}

}  // namespace

Result<> check_mirror(const Mirror& mirror) {
    if (auto ok = check_name(mirror.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(mirror.owner, "/owner"); !ok) return ok;
    if (auto ok = check_source(mirror); !ok) return ok;
    if (!mirror.policy.empty() && mirror.direction != MirrorDirection::both)
        return refused("/direction", "is not for rules, whose matches say which way frames go",
                       mirror.direction == MirrorDirection::in ? "\"in\"" : "\"out\"", "\"both\" with policy");
    if (mirror.to.empty()) return refused("/to", "is missing", kNothing, "a port, or with vni a tunnel");
    if (!mirror.vni && mirror.to == mirror.port)
        return refused("/to", "is the port that is mirrored", in_quotes(mirror.to), "another port");
    if (mirror.vni)
        if (auto ok = check_range(*mirror.vni, 1, kMaxVni, "/vni"); !ok) return ok;
    if (!mirror.snaplen) return {};
    return check_range(*mirror.snaplen, kMinSnaplen, kMaxSnaplen, "/snaplen");
}

}  // namespace bulkhead
