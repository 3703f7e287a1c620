// SPDX-License-Identifier: Apache-2.0
#include "control/api/method_rows.h"

namespace bulkhead::api {

using enum JsonType;

void append_statistics_methods(Methods& table) {
    table.push_back(
        {.name = "stats.get",
         .params = {optional("port", string, "only this port"), optional("segment", string, "only this segment"),
                    optional("tunnel", string, "only this tunnel"), optional("worker", integer, "only this worker")},
         .roles = kViewersAndTenants,
         .help = "packets, bytes and drops: 64 bits wide, never reset, so subtract",
         .result =
             R"({"ports": [{"name", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops": {reason: n}}], )"
             R"("segments": [the same], "tunnels": [the same], "workers": [{"worker", "received", "originated", "copies", )"
             R"("transmitted", "consumed", "held", "dropped", "drops": {reason: n}, "busy_cycles", )"
             R"("idle_cycles", "sleeps", "bursts", "marked", "stale_marks"}]}; marked: frames that a NIC had matched)",
         .example = "stats get --port web-0"});
    table.push_back(
        {.name = "drop.list",
         .params =
             page_of({optional("port", string, "only this port's"), optional("segment", string, "only this segment's"),
                      optional("reason", string, "only this reason")}),
         .roles = kViewersAndTenants,
         .help = "why frames were dropped, by port or tunnel, segment and reason",
         .result =
             R"({"items": [{"port": string|null, "tunnel": string|null, "segment": string|null, "reason", "help", )"
             R"("packets"}], "cursor": string|null})",
         .example = "drop list --port web-0"});
}

}  // namespace bulkhead::api
