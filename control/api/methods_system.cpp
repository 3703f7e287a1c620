// SPDX-License-Identifier: Apache-2.0
#include "control/api/method_rows.h"

namespace bulkhead::api {
namespace {

using enum JsonType;

Method config_apply() {
    return {
        .name = "config.apply",
        .params = {required("config", object, "the whole desired state of one owner"),
                   optional("owner", string, "whose objects it speaks for; all others stay as they are", R"("")"),
                   optional("dry_run", boolean, "tell the changes and make none", "false"),
                   optional("expect_generation", integer, "refuse when the generation is another: someone was faster"),
                   optional("confirm_within_s", integer, "roll back unless config.confirm follows in this time")},
        .roles = kOperators,
        .help = "make one owner's objects exactly those given: all of it, or nothing",
        .result = R"({"generation", "changes": [{"op": "add"|"set"|"remove", "kind", "name"}], "dry_run"})",
        .example = "config apply @node.json --dry-run"};
}

Method subscribe() {
    auto kinds = optional("kinds", array, "kinds of events, as port.up, port.down, mac.moved; absent: all of them");
    return {
        .name = "events.subscribe",
        .params = {kinds},
        .roles = kViewersAndTenants,
        .help = "stream changes over this connection, as notifications `event`; a slow reader gets one of kind `lost`",
        .result = R"({"kinds": […], "seq"}; then event {"seq", "kind", "time", …}, to a slow reader with "kind": )"
                  R"("lost" and "count")",
        .example = {}};
}

}  // namespace

void append_system_methods(Methods& table) {
    table.push_back({.name = "system.get",
                     .params = {},
                     .roles = kViewers,
                     .help = "versions, uptime, node, memory and workers",
                     .result = R"({"version", "dpdk", "uptime_s", "node", "generation", "pid", "memory": {…}, )"
                               R"("workers": [{…}], "macs"})",
                     .example = "system get"});
    table.push_back({.name = "system.shutdown",
                     .params = {optional("hand_over", boolean,
                                         "the caller is a bulkheadd that takes the place of this one", "false")},
                     .roles = kAdmins,
                     .help = "end the switch cleanly",
                     .result = "{}",
                     .example = "system shutdown"});
    table.push_back({.name = "rpc.discover",
                     .params = {},
                     .roles = kAnyone,
                     .help = "this API as an OpenRPC document",
                     .result = "an OpenRPC 1.2.6 document",
                     .example = "rpc discover"});
    table.push_back({.name = "config.get",
                     .params = {optional("owner", string, "only this owner's objects; absent: everybody's")},
                     .roles = kViewers,
                     .help = "the configuration, as config.apply takes it",
                     .result = R"({"version", "node", "segments": […], "ports": […], …})",
                     .example = "config get --owner file"});
    table.push_back(config_apply());
    table.push_back({.name = "config.confirm",
                     .params = {},
                     .roles = kOperators,
                     .help = "keep what config.apply with confirm_within_s has put in force",
                     .result = R"({"generation"})",
                     .example = "config confirm"});
    table.push_back(subscribe());
    table.push_back({.name = "events.unsubscribe",
                     .params = {},
                     .roles = kViewersAndTenants,
                     .help = "end the stream of events on this connection",
                     .result = R"({"subscribed": false})",
                     .example = {}});
}

}  // namespace bulkhead::api
