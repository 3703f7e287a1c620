// SPDX-License-Identifier: Apache-2.0
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

constexpr std::string_view kChanged = R"({"generation", "changed", "object": {…the port's fields}})";
constexpr std::string_view kPort =
    R"({…the port's fields, "state": {"status": "up"|"down"|"waiting", "reason": string|null, "link", "guest_connected", )"
    R"("features", "queues_enabled", "driver", "mac", "queues": [{"queue", "worker"}], "rx_packets", "rx_bytes", "tx_packets", )"
    R"("tx_bytes", "drops", "details": {…}, "virtqueues": [{"index", "direction": "from_guest"|"to_guest", "enabled", "size", )"
    R"("packets", "bytes", "full"}]}}; virtqueues: vhost-user only; full: bursts that ended for want of the guest's buffers)";

}  // namespace

void append_port_methods(Methods& table) {
    table.push_back({.name = "port.add",
                     .params = all_of(port_fields()),
                     .roles = kOperatorsAndTenants,
                     .help = "open a port and attach it; the same again changes nothing",
                     .result = kChanged,
                     .example = "port add web-0 --type tap --netns /run/netns/web --ifname net1 --segment blue"});
    table.push_back({.name = "port.set",
                     .params = patch_of(port_fields()),
                     .roles = kOperatorsAndTenants,
                     .merge_patch = true,
                     .help = "change some fields of a port (RFC 7396: null brings the default back)",
                     .result = kChanged,
                     .example = "port set web-0 --segment red"});
    table.push_back({.name = "port.remove",
                     .params = {required("name", string, "name of the port")},
                     .roles = kOperatorsAndTenants,
                     .help = "detach and close a port",
                     .result = R"({"generation"})",
                     .example = "port remove web-0"});
    table.push_back({.name = "port.get",
                     .params = {required("name", string, "name of the port")},
                     .roles = kViewersAndTenants,
                     .help = "one port and its state",
                     .result = kPort,
                     .example = "port get web-0"});
    table.push_back({.name = "port.list",
                     .params = page_of({optional("segment", string, "only those attached to this segment"),
                                        optional("type", string, "only vhost-user, tap or ethdev"),
                                        optional("owner", string, "only this owner's"),
                                        optional("state", string, "only those that are up, down or waiting")}),
                     .roles = kViewersAndTenants,
                     .help = "the ports, by name",
                     .result = R"({"items": [as port.get], "cursor": string|null})",
                     .example = "port list --segment blue"});
    table.push_back(
        {.name = "port.move",
         .params = {required("name", string, "name of the port"),
                    required("segment", string, "where its untagged frames go from now on")},
         .roles = kOperatorsAndTenants,
         .help = "move a port to another segment in one step; what is known of it in the former one is forgotten, and "
                 "it is of no group there",
         .result = R"({"generation"})",
         .example = "port move web-0 red"});
}

}  // namespace bulkhead::api
