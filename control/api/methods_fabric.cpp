// SPDX-License-Identifier: Apache-2.0
// Between nodes. Not built in yet: the rows say what is to come, and calling one answers `not_built_in`.
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…}})";
constexpr std::string_view kRemoved = R"({"generation"})";
constexpr std::string_view kItems = R"({"items": […], "cursor": string|null})";

void append_underlay(Methods& table) {
    const Field name = required("name", string, "name, unique among underlays");
    const std::vector<Field> fields = {name,
                                       required("port", string, "NIC port it uses"),
                                       required("addresses", array, "this node's addresses on it, in CIDR notation"),
                                       optional("gateways", array, "next hops beyond the link", "[]"),
                                       optional("vlan", integer, "VLAN of the underlay, 1-4094"),
                                       optional("mtu", integer, "largest layer-3 packet of the underlay", "1500"),
                                       optional("host_tap", string, "interface that hands the rest to the host"),
                                       optional("neighbors", array, "fixed neighbours: ip and mac", "[]")};
    append_planned(table, "underlay.add", fields, kAdmins, "make a NIC port the way to other nodes", kChanged);
    append_planned(table, "underlay.set", patch_of(fields), kAdmins, "change some fields of an underlay", kChanged);
    append_planned(table, "underlay.remove", {name}, kAdmins, "remove an underlay", kRemoved);
    append_planned(table, "underlay.get", {name}, kViewers, "one underlay and its state", "{…, \"state\": {…}}");
    append_planned(table, "underlay.list", page_of({}), kViewers, "the underlays, by name", kItems);
    append_planned(table, "underlay.neighbors", page_of({optional("name", string, "only this underlay's")}), kViewers,
                   "which neighbours are known, and how", kItems);
}

void append_tunnel(Methods& table) {
    const Field name = required("name", string, "name of the tunnel, usually the remote node's");
    const std::vector<Field> fields = {name,
                                       required("type", string, "vxlan or geneve"),
                                       required("underlay", string, "underlay it goes over"),
                                       required("remote", string, "address of the remote node"),
                                       optional("segments", array, "segments it carries", "[]"),
                                       optional("dst_port", integer, "UDP port of the remote node"),
                                       optional("horizon", string, "mesh (never mesh to mesh) or spoke", R"("mesh")"),
                                       optional("trust_groups", boolean, "believe the groups it carries", "false"),
                                       optional("ttl", integer, "time to live of the outer header", "64"),
                                       optional("dscp", any, "copy, or 0-63, in the outer header", "0"),
                                       optional("udp_checksum", boolean, "fill in the outer UDP checksum"),
                                       optional("keepalive_ms", integer, "pause between probes; 0: none", "0")};
    append_planned(table, "tunnel.add", fields, kOperators, "reach a remote node", kChanged);
    append_planned(table, "tunnel.set", patch_of(fields), kOperators, "change some fields of a tunnel", kChanged);
    append_planned(table, "tunnel.remove", {name}, kOperators, "remove a tunnel", kRemoved);
    append_planned(table, "tunnel.get", {name}, kViewers, "one tunnel: next hop, alive, counters",
                   "{…, \"state\": {…}}");
    append_planned(table, "tunnel.list", page_of({optional("segment", string, "only those that carry this segment")}),
                   kViewers, "the tunnels, by name", kItems);
}

void append_offload(Methods& table) {
    const Field port = required("port", string, "NIC port");
    append_planned(table, "offload.get", {port}, kViewers, "what a NIC forwards by itself", "{…}");
    append_planned(table, "offload.list", page_of({optional("port", string, "only this NIC's")}), kViewers,
                   "the rules that NICs hold", kItems);
    append_planned(table, "offload.probe", {port}, kAdmins, "find out anew what a NIC can do", "{…}");
}

}  // namespace

void append_fabric_methods(Methods& table) {
    append_underlay(table);
    append_tunnel(table);
    append_offload(table);
}

}  // namespace bulkhead::api
