// SPDX-License-Identifier: Apache-2.0
// Who may talk to whom, and looking closely. Not built in yet: the rows say what is to come, and calling one answers
// `not_built_in`.
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…}})";
constexpr std::string_view kRemoved = R"({"generation"})";
constexpr std::string_view kObject = R"({…, "state": {…}})";
constexpr std::string_view kItems = R"({"items": […], "cursor": string|null})";

constexpr Field kSegment = required("segment", string, "name of the segment");
constexpr Field kOnlySegment = optional("segment", string, "only this segment's");

void append_group(Methods& table) {
    const Field name = required("name", string, "name, unique in its segment");
    const std::vector<Field> fields = {kSegment, name,
                                       required("id", integer, "number, 1-65535, the same on every node")};
    auto patch = patch_of(fields);
    patch.front().required = true;
    append_planned(table, "group.add", fields, kOperatorsAndTenants, "name a set of attachments", kChanged);
    append_planned(table, "group.set", patch, kOperatorsAndTenants, "change some fields of a group", kChanged);
    append_planned(table, "group.remove", {kSegment, name}, kOperatorsAndTenants, "remove a group", kRemoved);
    append_planned(table, "group.get", {kSegment, name}, kViewersAndTenants, "one group and its members", kObject);
    append_planned(table, "group.list", page_of({kOnlySegment}), kViewersAndTenants, "the groups, by segment and name",
                   kItems);
}

void append_policy(Methods& table) {
    const Field name = required("name", string, "name, unique in its segment");
    const std::vector<Field> fields = {kSegment,
                                       name,
                                       required("order", integer, "lower comes first, ties by name"),
                                       required("action", string, "allow, deny, redirect or mirror"),
                                       optional("from", object, "senders: groups, ips, macs", "{}"),
                                       optional("to", object, "receivers: groups, ips, macs", "{}"),
                                       optional("ethertype", any, "EtherType"),
                                       optional("protocol", any, "IP protocol, by name or number"),
                                       optional("src_ports", array, "source ports and ranges", "[]"),
                                       optional("dst_ports", array, "destination ports and ranges", "[]"),
                                       optional("icmp_types", array, "ICMP types", "[]"),
                                       optional("to_port", string, "redirect, mirror: where to"),
                                       optional("stateful", boolean, "answers are allowed too", "true"),
                                       optional("log", boolean, "tell of every match", "false")};
    auto patch = patch_of(fields);
    patch.front().required = true;
    append_planned(table, "policy.add", fields, kOperatorsAndTenants, "add a rule", kChanged);
    append_planned(table, "policy.set", patch, kOperatorsAndTenants, "change some fields of a rule", kChanged);
    append_planned(table, "policy.remove", {kSegment, name}, kOperatorsAndTenants, "remove a rule", kRemoved);
    append_planned(table, "policy.get", {kSegment, name}, kViewersAndTenants, "one rule and its hits", kObject);
    append_planned(table, "policy.list", page_of({kOnlySegment}), kViewersAndTenants, "the rules, in their order",
                   kItems);
    append_planned(
        table, "policy.explain",
        {kSegment, optional("frame", string, "a frame, in hexadecimal"), optional("fields", object, "or its fields")},
        kOperatorsAndTenants, "which rule decides about a frame, and why", R"({"action", "rule", "steps": […]})");
}

void append_mirror(Methods& table) {
    const Field name = required("name", string, "name, unique among mirrors");
    const std::vector<Field> fields = {name,
                                       required("to", string, "port or tunnel that gets the copies"),
                                       optional("segment", string, "source: a segment"),
                                       optional("port", string, "source: a port"),
                                       optional("policy", string, "source: a rule"),
                                       optional("direction", string, "in, out or both", R"("both")"),
                                       optional("snaplen", integer, "bytes of each frame; absent: all")};
    append_planned(table, "mirror.add", fields, kOperatorsAndTenants, "copy traffic for an observer", kChanged);
    append_planned(table, "mirror.set", patch_of(fields), kOperatorsAndTenants, "change some fields of a mirror",
                   kChanged);
    append_planned(table, "mirror.remove", {name}, kOperatorsAndTenants, "remove a mirror", kRemoved);
    append_planned(table, "mirror.get", {name}, kViewersAndTenants, "one mirror and its counters", kObject);
    append_planned(table, "mirror.list", page_of({kOnlySegment}), kViewersAndTenants, "the mirrors, by name", kItems);
}

void append_inspection(Methods& table) {
    append_planned(table, "connection.list", page_of({kOnlySegment}), kOperators,
                   "connections that stateful rules hold", kItems);
    append_planned(table, "connection.flush", {kOnlySegment}, kOperators, "forget connections", R"({"removed"})");
    append_planned(
        table, "packet.explain",
        {required("port", string, "port it would come in by"), required("frame", string, "the frame, in hexadecimal"),
         optional("vlan", integer, "VLAN tag to add, 1-4094")},
        kOperators, "what every stage would decide about a frame; sends nothing", R"({"stages": [{…}], "verdict"})");
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
    append_mirror(table);
    append_inspection(table);
    append_capture_and_key(table);
}

}  // namespace bulkhead::api
