// SPDX-License-Identifier: Apache-2.0
// stats.get, drop.list
#include <numeric>

#include "control/config/object_reader.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"
#include "control/methods/page.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;
using Drops = std::array<std::uint64_t, kDropReasons>;

json shown_drops(const Drops& drops) {
    json result = json::object();
    for (std::size_t i = 1; i < drops.size(); ++i) {
        if (drops[i] != 0) result[std::string(to_string(static_cast<DropReason>(i)))] = drops[i];
    }
    return result;
}

json shown_traffic(const std::string& name, const TrafficStats& stats) {
    return {{"name", name},
            {"rx_packets", stats.rx_packets},
            {"rx_bytes", stats.rx_bytes},
            {"tx_packets", stats.tx_packets},
            {"tx_bytes", stats.tx_bytes},
            {"drops", shown_drops(stats.drops)}};
}

json shown_worker(std::uint16_t worker, const WorkerStats& stats) {
    return {{"worker", worker},
            {"received", stats.received},
            {"originated", stats.originated},
            {"copies", stats.copies},
            {"transmitted", stats.transmitted},
            {"consumed", stats.consumed},
            {"held", stats.held},
            {"dropped", std::reduce(stats.drops.begin(), stats.drops.end())},
            {"drops", shown_drops(stats.drops)},
            {"busy_cycles", stats.busy_cycles},
            {"idle_cycles", stats.idle_cycles},
            {"sleeps", stats.sleeps},
            {"bursts", stats.bursts},
            {"marked", stats.marked},
            {"stale_marks", stats.stale_marks}};
}

std::string drop_reasons() {
    std::vector<std::string_view> names;
    for (std::size_t i = 1; i < kDropReasons; ++i) names.push_back(to_string(static_cast<DropReason>(i)));
    return config::listed(names);
}

Result<> check_drop_filters(const MethodContext& context, const rpc::Call& call) {
    const Model& model = context.engine.configured();
    auto text = [&](const char* name) { return call.params.value(name, std::string()); };
    if (call.params.contains("port") && !may_see_port(call.caller, model, text("port")))
        return failure(no_such("port", text("port"), "/port"));
    if (call.params.contains("segment") && !may_see_segment(call.caller, model, text("segment")))
        return failure(no_such("segment", text("segment"), "/segment"));
    if (call.params.contains("reason") && !drop_reason_from(text("reason")))
        return refused("/reason", "is no reason for a drop", config::shown(text("reason")), drop_reasons());
    return {};
}

/// What the filters let pass, by the key of the page. That has no name that is not shown either: what a tenant's
/// segment drops for ports and tunnels that the tenant does not see adds up in one row with neither.
std::map<std::string, json> drop_rows(const MethodContext& context, const rpc::Call& call) {
    const json& params = call.params;
    const Model& model = context.engine.configured();
    auto differs = [&](const char* filter, std::string_view value) {
        return params.contains(filter) && params[filter] != value;
    };
    std::map<std::string, json> rows;
    for (const DropRow& row : context.engine.target().drops()) {
        const bool sees_port = !row.port.empty() && may_see_port(call.caller, model, row.port);
        const bool sees_tunnel = !row.tunnel.empty() && may_see_tunnel(call.caller, model, row.tunnel);
        const bool sees_place = sees_port || sees_tunnel;
        const bool is_seen = row.segment.empty() ? sees_place : may_see_segment(call.caller, model, row.segment);
        if (!is_seen || differs("port", row.port) || differs("segment", row.segment)) continue;
        // No port's name has a colon.
        const std::string place = sees_port ? row.port : sees_tunnel ? "tunnel:" + row.tunnel : std::string();
        for (std::size_t i = 1; i < row.drops.size(); ++i) {
            const auto reason = static_cast<DropReason>(i);
            if (row.drops[i] == 0 || differs("reason", to_string(reason))) continue;
            json& shown = rows[place + "/" + row.segment + "/" + std::string(to_string(reason))];
            // A tenant sees the drops at all ports that are hidden from it as one row.
            const std::uint64_t others = shown.is_null() ? 0 : shown["packets"].get<std::uint64_t>();
            shown = {{"port", sees_port ? json(row.port) : json()},
                     {"tunnel", sees_tunnel ? json(row.tunnel) : json()},
                     {"segment", row.segment.empty() ? json() : json(row.segment)},
                     {"reason", to_string(reason)},
                     {"help", describe(reason)},
                     {"packets", others + row.drops[i]}};
        }
    }
    return rows;
}

/// What leads to other nodes is no tenant's.
Result<> add_tunnels(json& result, const Engine& engine, const rpc::Call& call, bool wants_all) {
    const bool wants_one = call.params.contains("tunnel");
    const std::string wanted = call.params.value("tunnel", std::string());
    if (wants_one && !may_see_tunnel(call.caller, engine.configured(), wanted))
        return failure(no_such("tunnel", wanted, "/tunnel"));
    if (is_tenant(call.caller) || (!wants_one && !wants_all)) return {};
    json& tunnels = result["tunnels"] = json::array();
    for (const auto& [name, tunnel] : engine.configured().tunnels)
        if (wants_all || name == wanted) tunnels.push_back(shown_traffic(name, engine.target().tunnel_stats(name)));
    return {};
}

}  // namespace

Answer stats_get(MethodContext& context, const rpc::Call& call) {
    const Engine& engine = context.engine;
    const Model& model = engine.configured();
    const json& params = call.params;
    const bool wants_all = !params.contains("port") && !params.contains("segment") && !params.contains("tunnel") &&
                           !params.contains("worker");
    json result = json::object();

    auto add_ports = [&](auto&& is_wanted) {
        json& ports = result["ports"] = json::array();
        for (const auto& [name, port] : model.ports) {
            if (is_wanted(name) && may_see(call.caller, model, port)) {
                ports.push_back(shown_traffic(name, engine.target().port_stats(name)));
            }
        }
    };
    auto add_segments = [&](auto&& is_wanted) {
        json& segments = result["segments"] = json::array();
        for (const auto& [name, segment] : model.segments) {
            if (is_wanted(name) && may_see(call.caller, segment)) {
                segments.push_back(shown_traffic(name, engine.target().segment_stats(name)));
            }
        }
    };
    if (wants_all) {
        add_ports([](const std::string&) { return true; });
        add_segments([](const std::string&) { return true; });
    }
    if (params.contains("port")) {
        const std::string wanted = params["port"].get<std::string>();
        if (!may_see_port(call.caller, model, wanted)) return failure(no_such("port", wanted, "/port"));
        add_ports([&](const std::string& name) { return name == wanted; });
    }
    if (params.contains("segment")) {
        const std::string wanted = params["segment"].get<std::string>();
        if (!may_see_segment(call.caller, model, wanted)) return failure(no_such("segment", wanted, "/segment"));
        add_segments([&](const std::string& name) { return name == wanted; });
    }
    if (auto ok = add_tunnels(result, engine, call, wants_all); !ok) return failure(std::move(ok.error()));
    const std::uint16_t workers = engine.target().workers();
    if (params.contains("worker") && (params["worker"] < 0 || params["worker"] >= workers)) {
        return failure(no_such("worker", config::shown(params["worker"]), "/worker"));
    }
    // A worker serves everybody: its numbers are no tenant's.
    if (is_tenant(call.caller)) {
        if (params.contains("worker")) return failure(no_such("worker", config::shown(params["worker"]), "/worker"));
    } else if (wants_all || params.contains("worker")) {
        json& rows = result["workers"] = json::array();
        for (std::uint16_t worker = 0; worker < workers; ++worker) {
            if (params.contains("worker") && params["worker"] != worker) continue;
            rows.push_back(shown_worker(worker, engine.target().worker_stats(worker)));
        }
    }
    return result;
}

Answer drop_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    if (auto ok = check_drop_filters(context, call); !ok) return failure(std::move(ok.error()));
    for (auto& [key, row] : drop_rows(context, call)) {
        if (page->wants(key)) page->add(key, std::move(row));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
