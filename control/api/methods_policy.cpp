// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom, and looking closely. Of what is not built in yet the rows say what is to come, and calling one
// answers `not_built_in`.
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChangedGroup = R"({"generation", "changed", "object": {…the group's fields}})";
constexpr std::string_view kGroup = R"({…the group's fields, "state": {"status", "reason": string|null, )"
                                    R"("members": [{"port", "vlan": integer|null}]}})";
constexpr std::string_view kChangedPolicy = R"({"generation", "changed", "object": {…the rule's fields}})";
constexpr std::string_view kPolicy =
    R"({…the rule's fields, "state": {"status", "reason": string|null, "packets", "bytes", "drops": of a rule that )"
    R"(mirrors, as mirror.get}})";
constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…}})";
constexpr std::string_view kRemoved = R"({"generation"})";
constexpr std::string_view kObject = R"({…, "state": {…}})";
constexpr std::string_view kItems = R"({"items": […], "cursor": string|null})";

constexpr std::string_view kPacketExplanation =
    R"({"verdict": "forward"|"drop"|"answer", "reason": drop reason|null, "segment": string|null, )"
    R"("egress": [port, or "tunnel:" and its name], "mirrors": [that would copy it], "receivers": [{"port", "tunnel", "vlan", "reason", "rule", )"
    R"("ground"}], of a flooded frame, "stages": [{"stage", "decision", "reason": drop reason|null, )"
    R"("rule": string|null, "ground": "rule"|"none"|"connection"|"related"|"resolution"|"fragment"|"headers"}]})";

constexpr std::string_view kPolicyExplanation =
    R"({"action": "allow"|"deny"|"redirect", "rule": string|null, "ground": as packet.explain, "from_group": string|null, )"
    R"("to_group": string|null, "steps": [{"rule", "matches", "why": string|null}], "agrees": whether the compiled )"
    R"(rules say the same})";

constexpr std::string_view kConnections =
    R"({"items": [{"segment", "protocol", "source", "destination": as who opened it sees it, "source_port", )"
    R"("destination_port": integer|null, "icmp_id", "icmp_type": integer|null, "state", "idle_s", "expires_in_s", )"
    R"("port": by which it was opened|null, "tunnel": likewise|null, "rule": string|null (the rules have changed, and )"
    R"(no frame of it has come since)}], "cursor": string|null, "open": of all there are, "capacity"})";

constexpr Field kSegment = required("segment", string, "name of the segment");
constexpr Field kOnlySegment = optional("segment", string, "only this segment's");
constexpr Field kOnlyOwner = optional("owner", string, "only this owner's");

/// The parameters of `set`, which name the object by its segment, too.
std::vector<Field> patch_within_segment(std::span<const Field> fields) {
    auto patch = patch_of(fields);
    for (Field& field : patch) field.required = field.name == "segment" || field.name == "name";
    return patch;
}

void append_group(Methods& table) {
    const Field name = required("name", string, "name of the group");
    table.push_back({.name = "group.add",
                     .params = all_of(group_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "make a group, which attachments of the segment can then be of",
                     .result = kChangedGroup,
                     .example = "group add blue web 10"});
    table.push_back({.name = "group.set",
                     .params = patch_within_segment(group_fields()),
                     .roles = kOperatorsAndTenants,
                     .merge_patch = true,
                     .help = "change some fields of a group (RFC 7396: null brings the default back)",
                     .result = kChangedGroup,
                     .example = "group set blue web --id 12"});
    table.push_back({.name = "group.remove",
                     .params = {kSegment, name},
                     .roles = kOperatorsAndTenants,
                     .help = "remove a group that no attachment and no rule names",
                     .result = kRemoved,
                     .example = "group remove blue web"});
    table.push_back({.name = "group.get",
                     .params = {kSegment, name},
                     .roles = kViewersAndTenants,
                     .help = "one group and its members",
                     .result = kGroup,
                     .example = "group get blue web"});
    table.push_back({.name = "group.list",
                     .params = page_of({kOnlySegment, kOnlyOwner}),
                     .roles = kViewersAndTenants,
                     .help = "the groups, by segment and name",
                     .result = R"({"items": [as group.get], "cursor": string|null})",
                     .example = "group list --segment blue"});
}

void append_policy(Methods& table) {
    const Field name = required("name", string, "name of the rule");
    table.push_back({.name = "policy.add",
                     .params = all_of(policy_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "add a rule; docs/policy.md says what it means",
                     .result = kChangedPolicy,
                     .example = "policy add blue web-to-db 100 allow --protocol tcp --dst-ports 5432,6000-6010"});
    table.push_back({.name = "policy.set",
                     .params = patch_within_segment(policy_fields()),
                     .roles = kOperatorsAndTenants,
                     .merge_patch = true,
                     .help = "change some fields of a rule (RFC 7396: null brings the default back)",
                     .result = kChangedPolicy,
                     .example = "policy set blue web-to-db --dst-ports 5432,6432"});
    table.push_back({.name = "policy.remove",
                     .params = {kSegment, name},
                     .roles = kOperatorsAndTenants,
                     .help = "remove a rule",
                     .result = kRemoved,
                     .example = "policy remove blue web-to-db"});
    table.push_back({.name = "policy.get",
                     .params = {kSegment, name},
                     .roles = kViewersAndTenants,
                     .help = "one rule and what it has decided",
                     .result = kPolicy,
                     .example = "policy get blue web-to-db"});
    table.push_back({.name = "policy.list",
                     .params = page_of({kOnlySegment, kOnlyOwner}),
                     .roles = kViewersAndTenants,
                     .help = "the rules, by segment and in the order in which they are asked",
                     .result = R"({"items": [as policy.get], "cursor": string|null})",
                     .example = "policy list --segment blue"});
    table.push_back(
        {.name = "policy.explain",
         .params =
             {kSegment, optional("frame", string, "a frame, in hexadecimal, from its destination address on"),
              optional(
                  "fields", object,
                  "or its fields: ethertype, protocol, source, destination, source_port, destination_port, "
                  "icmp_type, source_mac, destination_mac, tcp_flags (\"S\"); beside either from_group and to_group")},
         .roles = kOperatorsAndTenants,
         .help = "which rule decides about a frame, and why not those before it; open connections left aside",
         .result = kPolicyExplanation,
         .example =
             R"(policy explain blue --fields '{"from_group":"web","to_group":"db","protocol":"tcp","destination_port":5432}')"});
}

void append_inspection(Methods& table) {
    const Field port = optional("port", string, "only those whose first frame came in by this port"),
                address = optional("address", string, "only those with an end there: an IP address, or a network"),
                protocol = optional("protocol", any, "only this IP protocol: tcp, udp, icmp, ..., or 0-255"),
                state = optional("state", string,
                                 "only in this state: syn_sent, syn_received, established, closing, time_wait, reset; "
                                 "fresh, answered");
    table.push_back({.name = "connection.list",
                     .params = page_of({kOnlySegment, port, address, protocol, state}),
                     .roles = kOperators,
                     .help = "open connections; one that comes or goes between two pages may be missing, any other is "
                             "there once",
                     .result = kConnections,
                     .example = "connection list --segment blue --address 10.1.0.0/24 --state established"});
    table.push_back({.name = "connection.flush",
                     .params = {kOnlySegment, port, address, protocol, state},
                     .roles = kOperators,
                     .help = "end connections, all if no filter is given; their next frames meet the rules like any",
                     .result = R"({"removed"})",
                     .example = "connection flush --segment blue --address 10.1.0.10"});
    table.push_back({.name = "packet.explain",
                     .params = {required("port", string, "port it would come in by"),
                                required("frame", string, "the frame, in hexadecimal, from its destination address on"),
                                optional("vlan", integer, "VLAN tag to put on it before, 1-4094")},
                     .roles = kOperators,
                     .help = "what every stage would decide about a frame, by the tables as they stand; sends nothing, "
                             "changes nothing",
                     .result = kPacketExplanation,
                     .example = "packet explain web-0 0200000000020200000000010800"});
}

void append_capture_and_key(Methods& table) {
    const Field capture = required("name", string, "name of the capture");
    append_planned(table, "capture.add",
                   {capture, required("file", string, "a bare name in the captures folder"),
                    optional("port", string, "only this port"), kOnlySegment},
                   kAdmins, "write frames to a file", kChanged);
    append_planned(table, "capture.remove", {capture}, kAdmins, "end a capture; its file stays", kRemoved);
    append_planned(table, "capture.get", {capture}, kAdmins, "one capture and its progress", kObject);
    append_planned(table, "capture.list", page_of({}), kAdmins, "the captures, by name", kItems);

    const Field key = required("name", string, "name of the key");
    append_planned(table, "key.add", {key, optional("secret", string, "the secret; absent: the switch makes one")},
                   kAdmins, "add a key; it is never shown", kRemoved);
    append_planned(table, "key.remove", {key}, kAdmins, "remove a key", kRemoved);
    append_planned(table, "key.get", {key}, kAdmins, "one key, without its secret", kObject);
    append_planned(table, "key.list", page_of({}), kAdmins, "the keys, without their secrets", kItems);
}

}  // namespace

void append_policy_methods(Methods& table) {
    append_group(table);
    append_policy(table);
    append_mirror_methods(table);
    append_inspection(table);
    append_capture_and_key(table);
}

}  // namespace bulkhead::api
