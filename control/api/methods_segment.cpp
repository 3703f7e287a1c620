// SPDX-License-Identifier: Apache-2.0
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…the segment's fields}})";
constexpr std::string_view kSegment =
    R"({…the segment's fields, "state": {"status", "reason": string|null, "ports", "macs"}})";

constexpr std::string_view kVerification =
    R"({"pairs": [{"from", "to", "reachable", "intended", "allowed": [{"rule": string|null, and what of ethertypes, )"
    R"(protocols, icmp_types, sources, destinations, src_ports, dst_ports, source_macs, destination_macs, via, )"
    R"("opens": false limits it}], "allowed_by_intent": the same, "differences": [{"traffic": […], )"
    R"("installed": {"action", "ground", "rule"}, "intended": {…}, "fields": as policy.explain takes them}], )"
    R"("complete"}], "attachments": [{"attachment", "differences": [string]}] that differ, )"
    R"("segment_differences": [string], "waiting": [{"kind", "name", "reason"}], )"
    R"("tunnels": those whose far ends are not covered, "complete", "generation", "cursor": string|null})";

std::vector<Field> verify_params() {
    std::vector<Field> params = {required("name", string, "name of the segment")};
    for (const Field& field : page_of({optional("from", string, "only what this port sends"),
                                       optional("to", string, "only what this port gets")}))
        params.push_back(field);
    for (Field& field : params)
        if (field.name == "limit") field.help = "pairs at most in one answer, 1-1000; fewer where rules are many";
    return params;
}

void append_segment(Methods& table) {
    table.push_back({.name = "segment.add",
                     .params = all_of(segment_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "make a segment; the same again changes nothing",
                     .result = kChanged,
                     .example = "segment add blue 100 --mtu 1450"});
    table.push_back({.name = "segment.set",
                     .params = patch_of(segment_fields()),
                     .roles = kOperatorsAndTenants,
                     .merge_patch = true,
                     .help = "change some fields of a segment (RFC 7396: null brings the default back)",
                     .result = kChanged,
                     .example = "segment set blue --flood known"});
    table.push_back(
        {.name = "segment.remove",
         .params = {required("name", string, "name of the segment"),
                    optional("force", boolean, "detach the ports and tunnels that are still attached", "false")},
         .roles = kOperatorsAndTenants,
         .help = "remove a segment that nothing uses",
         .result = R"({"generation"})",
         .example = "segment remove blue --force"});
    table.push_back({.name = "segment.get",
                     .params = {required("name", string, "name of the segment")},
                     .roles = kViewersAndTenants,
                     .help = "one segment and its state",
                     .result = kSegment,
                     .example = "segment get blue"});
    table.push_back({.name = "segment.list",
                     .params = page_of({optional("tenant", string, "only this tenant's"),
                                        optional("owner", string, "only this owner's")}),
                     .roles = kViewersAndTenants,
                     .help = "the segments, by name",
                     .result = R"({"items": [as segment.get], "cursor": string|null})",
                     .example = "segment list --tenant acme"});
    table.push_back({.name = "segment.verify",
                     .params = verify_params(),
                     .roles = kOperatorsAndTenants,
                     .help =
                         "who can reach whom and with what, by the installed tables, against what was asked for; of "
                         "this node's attachments",
                     .result = kVerification,
                     .example = "segment verify blue"});
}

void append_fdb(Methods& table) {
    const Field segment = required("segment", string, "name of the segment");
    const Field mac = required("mac", string, "MAC address");
    const Field only_segment = optional("segment", string, "only this segment's");
    const Field only_port = optional("port", string, "only what is behind this port");
    const Field only_tunnel = optional("tunnel", string, "only what is behind this tunnel");
    const Field only_mac = optional("mac", string, "only this address");
    table.push_back({.name = "fdb.list",
                     .params = page_of({only_segment, only_port, only_tunnel, only_mac}),
                     .roles = kViewersAndTenants,
                     .help = "which MAC address is behind which port or tunnel; `ips` are those of static entries",
                     .result = R"({"items": [{"segment", "mac", "port": string|null, "tunnel": string|null, )"
                               R"("vlan": integer|null, "static", "age_s", "ips": […]}], )"
                               R"("cursor": string|null})",
                     .example = "fdb list --segment blue"});
    table.push_back({.name = "fdb.add",
                     .params = all_of(fdb_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "make a static entry: the address stays behind that port or tunnel",
                     .result = R"({"generation", "changed", "object": {…the entry's fields}})",
                     .example = "fdb add blue 02:00:00:00:00:0a web-0"});
    table.push_back({.name = "fdb.remove",
                     .params = {segment, mac},
                     .roles = kOperatorsAndTenants,
                     .help = "remove a static entry",
                     .result = R"({"generation"})",
                     .example = "fdb remove blue 02:00:00:00:00:0a"});
    table.push_back({.name = "fdb.flush",
                     .params = {only_segment, only_port, only_tunnel, only_mac},
                     .roles = kOperatorsAndTenants,
                     .help = "forget learned addresses, all or those that match; static ones stay",
                     .result = R"({"removed"})",
                     .example = "fdb flush --segment blue"});
}

}  // namespace

void append_segment_methods(Methods& table) {
    append_segment(table);
    append_fdb(table);
}

}  // namespace bulkhead::api
