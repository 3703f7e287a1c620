// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/event_stream.h"

#include <set>

#include <spdlog/spdlog.h>

#include "control/daemon/logging.h"
#include "control/daemon/policy_log_json.h"
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
        case MacEvent::Kind::move_limit:
            return "mac.move_limit";
    }
    return {};
}

std::string_view kind_of(UnderlayEvent::Kind kind) {
    switch (kind) {
        case UnderlayEvent::Kind::neighbor_reachable:
            return "neighbor.reachable";
        case UnderlayEvent::Kind::neighbor_failed:
            return "neighbor.failed";
        case UnderlayEvent::Kind::address_duplicate:
            return "address.duplicate";
    }
    return {};
}

std::string_view kind_of(RingEvent::Kind kind) {
    switch (kind) {
        case RingEvent::Kind::suspected:
            return "ring.suspected";
        case RingEvent::Kind::cut:
            return "ring.cut";
        case RingEvent::Kind::lifted:
            return "ring.lifted";
    }
    return {};
}

/// `port`, or where the address is on another node `tunnel`.
void add_place(json& fields, const std::string& prefix, const std::string& port, const std::string& tunnel) {
    const bool is_port = tunnel.empty();
    fields[prefix + (is_port ? "port" : "tunnel")] = is_port ? port : tunnel;
}

EngineEvent from(const MacEvent& event) {
    json fields = {{"segment", event.segment}, {"mac", event.mac.to_string()}};
    add_place(fields, "", event.port, event.tunnel);
    return {std::string(kind_of(event.kind)), std::move(fields), event.port, event.segment, event.tunnel};
}

bool may_see_origin(const rpc::Caller& caller, const Model& model, const MacEvent& event) {
    return !methods::is_tenant(caller) ||
           (event.from_tunnel.empty() && methods::may_see_port(caller, model, event.from_port));
}

/// What a tenant is not told of an entry in one of its segments.
std::vector<std::string> hidden_fields(const rpc::Caller& caller, const Model& model, const PolicyLogEntry& entry) {
    std::vector<std::string> names;
    if (!methods::is_tenant(caller)) return names;
    if (!methods::may_see_port(caller, model, entry.place.port)) names = {"port", "tunnel", "vlan"};
    if (!entry.frame) return names;
    const auto rule = model.policies.find({entry.segment, entry.frame->rule});
    if (rule != model.policies.end() && !methods::may_see(caller, model, rule->second)) names.emplace_back("rule");
    return names;
}

// A change of a thousand objects is one line in the log, and every learned MAC none.
void log(const EngineEvent& event) {
    if (event.kind.starts_with("mac.")) return;
    auto changes = event.fields.find("changes");
    if (changes == event.fields.end()) {
        log_event(event.kind, event.fields);
    } else {
        spdlog::info("{}: generation {}, {}", event.kind, event.fields.at("generation").dump(), described(*changes));
    }
}

}  // namespace

std::vector<std::string> event_kinds() {
    return {"address.duplicate", "config.changed",     "config.rolled_back", "guest.connected",   "guest.disconnected",
            "mac.learned",       "mac.limit",          "mac.lost",           "mac.move_limit",    "mac.moved",
            "neighbor.failed",   "neighbor.reachable", "offload.failed",     "offload.installed", "offload.lost",
            "offload.probed",    "offload.refused",    "policy.log",         "port.down",         "port.opened",
            "port.up",           "port.waiting",       "ring.cut",           "ring.lifted",       "ring.suspected",
            "tunnel.down",       "tunnel.up",          "underlay.down",      "underlay.up"};
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
        if (event.kind == MacEvent::Kind::moved || event.kind == MacEvent::Kind::move_limit) {
            publish_move(event, model);
        } else {
            publish(from(event), model);
        }
    }
    // Learned faster than they can be told: the table is right, only the stream has a gap.
    if (events.lost > 0) publish({"mac.lost", {{"count", events.lost}}, {}, {}}, model);
}

void EventStream::publish(const OverlayEvent& event, const Model& model) {
    json fields = {{"underlay", event.underlay}, {"ip", event.event.ip.to_string()}};
    if (event.event.mac) fields["mac"] = event.event.mac->to_string();
    publish({.kind = std::string(kind_of(event.event.kind)), .fields = std::move(fields), .port = {}, .segment = {}},
            model);
}

void EventStream::publish(const TunnelEvent& event, const Model& model) {
    json fields = {{"tunnel", event.tunnel}, {"underlay", event.underlay}, {"remote", event.remote.to_string()}};
    publish(
        {.kind = event.is_alive ? "tunnel.up" : "tunnel.down", .fields = std::move(fields), .port = {}, .segment = {}},
        model);
}

void EventStream::publish(const RingEvent& event, const Model& model) {
    publish({.kind = std::string(kind_of(event.kind)),
             .fields = {{"segment", event.segment}, {"tunnel", event.tunnel}},
             .port = {},
             .segment = event.segment,
             .tunnel = event.tunnel},
            model);
}

void EventStream::publish(const OffloadEvent& event, const Model& model) {
    const auto kind_of = [](OffloadEvent::Kind kind) {
        switch (kind) {
            case OffloadEvent::Kind::probed:
                return "offload.probed";
            case OffloadEvent::Kind::installed:
                return "offload.installed";
            case OffloadEvent::Kind::refused:
                return "offload.refused";
            case OffloadEvent::Kind::lost:
                return "offload.lost";
            case OffloadEvent::Kind::withdrawal_failed:
                break;
        }
        return "offload.failed";
    };
    json fields = {{"port", event.port}, {"rules", event.count}};
    if (!event.words.empty()) fields["words"] = event.words;
    publish({.kind = kind_of(event.kind), .fields = std::move(fields), .port = event.port, .segment = {}}, model);
}

// A tenant hears of all in its segments, but of no port, tunnel or rule that it does not see.
void EventStream::publish(const PolicyLogEntry& entry, const Model& model) {
    constexpr const char* kKind = "policy.log";
    const json full = encode(entry);
    log_event(kKind, full);
    if (hub_.subscribers() == 0) return;
    const auto hidden = [&](const rpc::Caller& caller) { return hidden_fields(caller, model, entry); };
    std::set<std::vector<std::string>> versions;
    const auto publish_without = [&](const std::vector<std::string>& names) {
        json fields = full;
        for (const std::string& name : names) fields.erase(name);
        hub_.publish(kKind, std::move(fields), [&](const rpc::Caller& caller) {
            if (methods::is_tenant(caller) && !methods::may_see_segment(caller, model, entry.segment)) return false;
            versions.insert(hidden(caller));
            return hidden(caller) == names;
        });
    };
    publish_without({});
    for (const auto& names : std::set(versions))
        if (!names.empty()) publish_without(names);
}

// An address may come to a tenant's port from where the tenant does not see: told to it without `from_port`.
void EventStream::publish_move(const MacEvent& move, const Model& model) {
    EngineEvent event = from(move);
    json full = event.fields;
    add_place(full, "from_", move.from_port, move.from_tunnel);
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
