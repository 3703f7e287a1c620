// SPDX-License-Identifier: Apache-2.0
// Copies of traffic.
#include "control/api/method_rows.h"

namespace bulkhead::api {

using enum JsonType;

void append_mirror_methods(Methods& table) {
    constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…the mirror's fields}})";
    constexpr std::string_view kMirror =
        R"({…the mirror's fields, "state": {"status", "reason": string|null, "packets", "bytes", "drops": {"mirror_full", )"
        R"("no_buffer", "busy", "unreachable", "unfinished"}}}: copies that the observer took, and those that it did not )"
        R"(get, by why)";
    const Field name = required("name", string, "name of the mirror");
    table.push_back({.name = "mirror.add",
                     .params = all_of(mirror_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "copy what a port, a segment or a rule sees to an observer; docs/mirrors.md says what",
                     .result = kChanged,
                     .example = "mirror add ids ids-0 --segment blue"});
    table.push_back({.name = "mirror.set",
                     .params = patch_of(mirror_fields()),
                     .roles = kOperatorsAndTenants,
                     .merge_patch = true,
                     .help = "change some fields of a mirror (RFC 7396: null brings the default back)",
                     .result = kChanged,
                     .example = "mirror set ids --snaplen 128"});
    table.push_back({.name = "mirror.remove",
                     .params = {name},
                     .roles = kOperatorsAndTenants,
                     .help = "copy no more",
                     .result = R"({"generation"})",
                     .example = "mirror remove ids"});
    table.push_back({.name = "mirror.get",
                     .params = {name},
                     .roles = kViewersAndTenants,
                     .help = "one mirror and what it has copied",
                     .result = kMirror,
                     .example = "mirror get ids"});
    table.push_back({.name = "mirror.list",
                     .params = page_of({optional("segment", string, "only of this segment, or its rules"),
                                        optional("port", string, "only of this port"),
                                        optional("owner", string, "only this owner's")}),
                     .roles = kViewersAndTenants,
                     .help = "the mirrors, by name",
                     .result = R"({"items": [as mirror.get], "cursor": string|null})",
                     .example = "mirror list"});
}

}  // namespace bulkhead::api
