// SPDX-License-Identifier: Apache-2.0
// Between nodes, and what NICs do of it.
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…its fields}})";
constexpr std::string_view kRemoved = R"({"generation"})";
constexpr std::string_view kItems = R"({"items": […], "cursor": string|null})";
constexpr std::string_view kUnderlay =
    R"({…its fields, "state": {"status", "reason": string|null, "link", "mac", "addresses": [{"address", "duplicate"}], )"
    R"("host_tap": {"status", "reason": string|null, "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops"}|null}})";
constexpr std::string_view kTunnel =
    R"({…its fields, "state": {"status", "reason": string|null, "next_hop": string|null, "next_hop_mac": string|null, )"
    R"("resolved", "cut": [segment], "alive": boolean|null, "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops"}})";

void append_underlay(Methods& table) {
    const Field name = required("name", string, "name of the underlay");
    table.push_back({.name = "underlay.add",
                     .params = all_of(underlay_fields()),
                     .roles = kAdmins,
                     .help = "make a NIC port the way to other nodes; the same again changes nothing",
                     .result = kChanged,
                     .example = "underlay add u0 uplink0 192.0.2.1/24,2001:db8::1/64 --gateways 192.0.2.254"});
    table.push_back({.name = "underlay.set",
                     .params = patch_of(underlay_fields()),
                     .roles = kAdmins,
                     .merge_patch = true,
                     .help = "change some fields of an underlay (RFC 7396: null brings the default back)",
                     .result = kChanged,
                     .example = "underlay set u0 --mtu 9000"});
    table.push_back({.name = "underlay.remove",
                     .params = {name},
                     .roles = kAdmins,
                     .help = "remove an underlay that no tunnel goes over",
                     .result = kRemoved,
                     .example = "underlay remove u0"});
    table.push_back({.name = "underlay.get",
                     .params = {name},
                     .roles = kViewers,
                     .help = "one underlay and its state: up, down, or waiting",
                     .result = kUnderlay,
                     .example = "underlay get u0"});
    table.push_back({.name = "underlay.list",
                     .params = page_of({optional("owner", string, "only this owner's")}),
                     .roles = kViewers,
                     .help = "the underlays, by name",
                     .result = R"({"items": [as underlay.get], "cursor": string|null})",
                     .example = "underlay list"});
    table.push_back({.name = "underlay.neighbors",
                     .params = page_of({optional("name", string, "only this underlay's")}),
                     .roles = kViewers,
                     .help = "which neighbours are known, and how: static, reachable, stale, probing or failed",
                     .result = R"({"items": [{"underlay", "ip", "mac": string|null, "state", "age_s", "duplicate"}], )"
                               R"("cursor": string|null})",
                     .example = "underlay neighbors --name u0"});
}

void append_tunnel(Methods& table) {
    const Field name = required("name", string, "name of the tunnel");
    table.push_back({.name = "tunnel.add",
                     .params = all_of(tunnel_fields()),
                     .roles = kOperators,
                     .help = "reach a remote node; the same again changes nothing",
                     .result = kChanged,
                     .example = "tunnel add edge-2 vxlan u0 192.0.2.2 --segments blue,red"});
    table.push_back({.name = "tunnel.set",
                     .params = patch_of(tunnel_fields()),
                     .roles = kOperators,
                     .merge_patch = true,
                     .help = "change some fields of a tunnel (RFC 7396: null brings the default back)",
                     .result = kChanged,
                     .example = "tunnel set edge-2 --segments blue"});
    table.push_back({.name = "tunnel.remove",
                     .params = {name},
                     .roles = kOperators,
                     .help = "remove a tunnel, and the static entries behind it",
                     .result = kRemoved,
                     .example = "tunnel remove edge-2"});
    table.push_back({.name = "tunnel.get",
                     .params = {name},
                     .roles = kViewers,
                     .help = "one tunnel and its state: next hop and counters; rx came out of it, tx went in",
                     .result = kTunnel,
                     .example = "tunnel get edge-2"});
    table.push_back({.name = "tunnel.list",
                     .params = page_of({optional("segment", string, "only those that carry this segment"),
                                        optional("underlay", string, "only those over this underlay"),
                                        optional("owner", string, "only this owner's")}),
                     .roles = kViewers,
                     .help = "the tunnels, by name",
                     .result = R"({"items": [as tunnel.get], "cursor": string|null})",
                     .example = "tunnel list --segment blue"});
}

void append_offload(Methods& table) {
    const Field port = required("port", string, "NIC port");
    constexpr std::string_view kOffload =
        R"({"port", "mode", "reason": string|null, "driver", "steering": {"fate": "inner_rss"|"outer_rss"|"queue", "counts"})"
        R"(|null, "dropping": the same|null, "ladder": [{"fate", "counts", "accepted", "words"}], "resets", "rules": )"
        R"({"installed", "refused", "waiting", "leaving"}, "packets", "bytes", "tunnels_rx_packets"}; reason: why nothing )"
        R"(is asked of the device; ladder: what was, and the driver's words; packets, bytes: in hardware, a second old)";
    table.push_back({.name = "offload.get",
                     .params = {port},
                     .roles = kViewers,
                     .help = "what a NIC does by flow rules, and what it refused",
                     .result = kOffload,
                     .example = "offload get uplink0"});
    table.push_back(
        {.name = "offload.list",
         .params = page_of({optional("port", string, "only this NIC's")}),
         .roles = kViewers,
         .help = "the rules that NICs are asked for, and what became of each",
         .result = R"({"items": [{"port", "what": "tunnel"|"unknown_vni", "tunnel", "segment", "type", "remote", )"
                   R"("local", "vni", "mark", "shape", "status": "installed"|"refused"|"waiting"|"leaving", )"
                   R"("reason": string|null, "packets", "bytes"}], "cursor": string|null})",
         .example = "offload list --port uplink0"});
    table.push_back({.name = "offload.probe",
                     .params = {port},
                     .roles = kAdmins,
                     .help = "find out anew what a NIC can do; its rules go for as long, and software does all",
                     .result = kOffload,
                     .example = "offload probe uplink0"});
}

}  // namespace

void append_fabric_methods(Methods& table) {
    append_underlay(table);
    append_tunnel(table);
    append_offload(table);
}

}  // namespace bulkhead::api
