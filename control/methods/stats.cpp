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
            {"bursts", stats.bursts}};
}

}  // namespace

Answer stats_get(MethodContext& context, const rpc::Call& call) {
    const Engine& engine = context.engine;
    const Model& model = engine.configured();
    const json& params = call.params;
    const bool wants_all = !params.contains("port") && !params.contains("segment") && !params.contains("worker");
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
    const json& params = call.params;
    const Model& model = context.engine.configured();
    if (params.contains("reason") && !drop_reason_from(params["reason"].get<std::string>())) {
        return failure(refused("/reason", "is no reason for a drop", config::shown(params["reason"])).error());
    }
    std::map<std::string, json> rows;  // by the key of the page
    for (const DropRow& row : context.engine.target().drops()) {
        const bool is_seen = row.segment.empty() ? may_see_port(call.caller, model, row.port)
                                                 : may_see_segment(call.caller, model, row.segment);
        if (!is_seen || (params.contains("port") && params["port"] != row.port) ||
            (params.contains("segment") && params["segment"] != row.segment)) {
            continue;
        }
        for (std::size_t i = 1; i < row.drops.size(); ++i) {
            const auto reason = static_cast<DropReason>(i);
            if (row.drops[i] == 0 || (params.contains("reason") && params["reason"] != to_string(reason))) continue;
            rows[row.port + "/" + row.segment + "/" + std::string(to_string(reason))] = {
                {"port", may_see_port(call.caller, model, row.port) ? json(row.port) : json()},
                {"segment", row.segment.empty() ? json() : json(row.segment)},
                {"reason", to_string(reason)},
                {"help", describe(reason)},
                {"packets", row.drops[i]}};
        }
    }
    for (auto& [key, row] : rows) {
        if (page->wants(key)) page->add(key, std::move(row));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
