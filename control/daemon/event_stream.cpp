// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/event_stream.h"

#include <spdlog/spdlog.h>

#include "control/methods/authority.h"

namespace bulkhead::daemon {
namespace {

using nlohmann::json;

std::string_view kind_of(MacEvent::Kind kind) {
    switch (kind) {
        case MacEvent::Kind::learned:
            return "mac.learned";
        case MacEvent::Kind::moved:
            return "mac.moved";
        case MacEvent::Kind::limit:
            return "mac.limit";
    }
    return {};
}

EngineEvent from(const MacEvent& event) {
    json fields = {{"segment", event.segment}, {"mac", event.mac.to_string()}, {"port", event.port}};
    return {std::string(kind_of(event.kind)), std::move(fields), event.port, event.segment};
}

bool may_see_origin(const rpc::Caller& caller, const Model& model, const MacEvent& event) {
    return !methods::is_tenant(caller) || methods::may_see_port(caller, model, event.from_port);
}

// A change of a thousand objects is one line in the log, and every learned MAC none.
void log(const EngineEvent& event) {
    if (event.kind.starts_with("mac.")) return;
    auto changes = event.fields.find("changes");
    if (changes == event.fields.end()) {
        spdlog::info("{} {}", event.kind, event.fields.dump());
    } else {
        spdlog::info("{}: generation {}, {}", event.kind, event.fields.at("generation").dump(), described(*changes));
    }
}

}  // namespace

std::vector<std::string> event_kinds() {
    return {"config.changed", "config.rolled_back", "guest.connected", "guest.disconnected",
            "mac.learned",    "mac.limit",          "mac.lost",        "mac.moved",
            "port.down",      "port.opened",        "port.up",         "port.waiting"};
}

void EventStream::publish(const EngineEvent& event, const Model& model) {
    log(event);
    if (hub_.subscribers() == 0) return;
    hub_.publish(event.kind, event.fields,
                 [&](const rpc::Caller& caller) { return methods::may_see(caller, model, event); });
}

void EventStream::publish(const MacEvents& events, const Model& model) {
    if (hub_.subscribers() == 0) return;  // thousands a second, and texts that nobody would read
    for (const MacEvent& event : events.events) {
        if (event.kind == MacEvent::Kind::moved) {
            publish_move(event, model);
        } else {
            publish(from(event), model);
        }
    }
    // Learned faster than they can be told: the table is right, only the stream has a gap.
    if (events.lost > 0) publish({"mac.lost", {{"count", events.lost}}, {}, {}}, model);
}

// An address may come to a tenant's port from one that the tenant does not see: told to it without `from_port`.
void EventStream::publish_move(const MacEvent& move, const Model& model) {
    EngineEvent event = from(move);
    json full = event.fields;
    full["from_port"] = move.from_port;
    bool hides_origin = false;
    hub_.publish(event.kind, std::move(full), [&](const rpc::Caller& caller) {
        const bool sees_all = may_see_origin(caller, model, move);
        hides_origin = hides_origin || !sees_all;
        return sees_all && methods::may_see(caller, model, event);
    });
    if (!hides_origin) return;
    hub_.publish(event.kind, event.fields, [&](const rpc::Caller& caller) {
        return !may_see_origin(caller, model, move) && methods::may_see(caller, model, event);
    });
}

}  // namespace bulkhead::daemon
