// SPDX-License-Identifier: Apache-2.0
// How mirrors fit with what was taken before them.
#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

std::string policy_name(const Mirror& mirror) {
    return mirror.segment + "/" + mirror.policy;
}

}  // namespace

Result<> Admission::check_source(const Mirror& mirror) const {
    if (mirror.port.empty()) {
        if (!mtu_of_segment_.contains(mirror.segment)) return failure(no_such_segment(mirror.segment, "/segment"));
        if (mirror.policy.empty()) return {};
        const auto rule = action_of_rule_.find({mirror.segment, mirror.policy});
        if (rule == action_of_rule_.end())
            return failure(no_such_object("policy", mirror.policy, "/policy",
                                          "the name of a rule of segment " + in_quotes(mirror.segment)));
        if (rule->second != PolicyAction::mirror) return {};
        return refused("/policy", "mirrors itself, and decides about nothing", in_quotes(policy_name(mirror)),
                       "a rule that allows, denies or redirects");
    }
    if (!ports_.contains(mirror.port))
        return failure(no_such_object("port", mirror.port, "/port", "the name of a port"));
    if (const std::string underlay = underlay_of(mirror.port); !underlay.empty())
        return refused("/port", "is that of underlay " + in_quotes(underlay), in_quotes(mirror.port),
                       "a port of segments; or mirror the segments that tunnels carry");
    return {};
}

Result<> Admission::check_target(const Mirror& mirror) const {
    const bool is_tunnel = segments_of_tunnel_.contains(mirror.to);
    if (!mirror.vni) {
        if (!ports_.contains(mirror.to)) {
            if (is_tunnel)
                return refused("/vni", "is missing: " + in_quotes(mirror.to) + " is a tunnel", kNothing,
                               "a VNI for the copies that no segment has");
            return failure(no_such_object("port", mirror.to, "/to", "the name of a port, or with vni of a tunnel"));
        }
        if (const std::string underlay = underlay_of(mirror.to); !underlay.empty())
            return refused("/to", "is the port of underlay " + in_quotes(underlay), in_quotes(mirror.to),
                           "another port, or a tunnel over that underlay");
        return {};
    }
    if (!is_tunnel) return failure(no_such_object("tunnel", mirror.to, "/to", "with vni the name of a tunnel"));
    const auto segment = segment_by_vni_.find(*mirror.vni);
    if (segment == segment_by_vni_.end()) return {};
    return refused("/vni", "is that of segment " + in_quotes(segment->second), std::to_string(*mirror.vni),
                   "a VNI that no segment has, so that copies are nobody's frames");
}

std::string Admission::underlay_of(const std::string& port) const {
    for (const auto& [name, underlay] : underlays_)
        if (underlay.port == port) return name;
    return {};
}

Result<> Admission::add(const Mirror& mirror) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_mirror(mirror); !ok) return ok;
        if (auto ok = check_source(mirror); !ok) return ok;
        if (auto ok = check_target(mirror); !ok) return ok;
        if (mirrors_ < kMaxMirrors) return {};
        return failure({.code = ErrorCode::limit,
                        .message = "too many mirrors",
                        .allowed = "at most " + std::to_string(kMaxMirrors)});
    };
    if (auto ok = about(check(), "mirror", mirror.name); !ok) return ok;
    ++mirrors_;
    return {};
}

Result<> Admission::check_mirror_rule(const Policy& policy) const {
    if (policy.action != PolicyAction::mirror) return {};
    const auto limit = [&](const std::string& where, std::size_t most) -> Result<> {
        return failure({.code = ErrorCode::limit,
                        .message = "too many rules that mirror" + where,
                        .field = "/action",
                        .got = "\"mirror\"",
                        .allowed = "at most " + std::to_string(most)});
    };
    const auto known = mirror_rules_of_segment_.find(policy.segment);
    if (known != mirror_rules_of_segment_.end() && known->second >= kMaxMirrorRulesOfSegment)
        return limit(" in segment " + in_quotes(policy.segment), kMaxMirrorRulesOfSegment);
    if (mirror_rules_ >= kMaxMirrorRules) return limit(" in all segments together", kMaxMirrorRules);
    return {};
}

}  // namespace bulkhead
