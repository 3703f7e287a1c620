// SPDX-License-Identifier: Apache-2.0
// offload.get, list, probe
#include <algorithm>
#include <utility>

#include "control/config/enum_names.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"
#include "control/methods/page.h"
#include "control/offload/reconciler.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;
using State = OffloadedRule::State;

constexpr config::EnumName<FlowShape::Fate> kFates[] = {{FlowShape::Fate::inner_rss, "inner_rss"},
                                                        {FlowShape::Fate::outer_rss, "outer_rss"},
                                                        {FlowShape::Fate::queue, "queue"},
                                                        {FlowShape::Fate::drop, "drop"}};
constexpr config::EnumName<State> kStates[] = {{State::installed, "installed"},
                                               {State::refused, "refused"},
                                               {State::waiting, "waiting"},
                                               {State::leaving, "leaving"}};

json shown(const std::optional<FlowShape>& shape) {
    if (!shape) return nullptr;
    return {{"fate", config::name_of(shape->fate, kFates)}, {"counts", shape->counts}};
}

json shown_ladder(const std::vector<OffloadRung>& ladder) {
    json rungs = json::array();
    for (const OffloadRung& rung : ladder) {
        json entry = shown(rung.shape);
        entry["accepted"] = rung.accepted;
        entry["words"] = rung.accepted ? json() : json(rung.words);
        rungs.push_back(std::move(entry));
    }
    return rungs;
}

/// Why nothing is asked of a port's device; empty: something is.
std::string reason_of(const MethodContext& context, const Port& port) {
    const auto* device = std::get_if<EthdevDevice>(&port.device);
    if (device == nullptr) return "only ports of type ethdev have flow rules";
    if (device->flow_offload == FlowOffload::off) return "flow_offload is off";
    const auto& underlays = context.engine.configured().underlays;
    if (std::ranges::none_of(underlays, [&](const auto& entry) { return entry.second.port == port.name; }))
        return "no underlay uses the port";
    return "the port is not open";
}

/// What software counted of the tunnels on a port, to compare: since the start, not since the rules are there.
std::uint64_t received_by_tunnels(const MethodContext& context, const std::string& port) {
    const Model& model = context.engine.configured();
    std::uint64_t packets = 0;
    for (const auto& [name, tunnel] : model.tunnels)
        if (const auto underlay = model.underlays.find(tunnel.underlay);
            underlay != model.underlays.end() && underlay->second.port == port)
            packets += context.engine.target().tunnel_stats(name).rx_packets;
    return packets;
}

json shown_port(const MethodContext& context, const Port& port, const std::optional<OffloadReport>& report) {
    const auto* device = std::get_if<EthdevDevice>(&port.device);
    const FlowOffload mode = device == nullptr ? FlowOffload::off : device->flow_offload;
    json answer{{"port", port.name},
                {"mode", config::name_of(mode, config::kFlowOffloads)},
                {"reason", report ? json() : json(reason_of(context, port))},
                {"driver", report ? json(report->driver) : json()},
                {"steering", report ? shown(report->steering) : json()},
                {"dropping", report ? shown(report->dropping) : json()},
                {"ladder", shown_ladder(report ? report->ladder : std::vector<OffloadRung>())},
                {"resets", report ? report->resets : 0}};
    json rules{{"installed", 0}, {"refused", 0}, {"waiting", 0}, {"leaving", 0}};
    FlowHits hits;
    for (const OffloadedRule& rule : report ? report->rules : std::vector<OffloadedRule>()) {
        auto& count = rules[std::string(config::name_of(rule.state, kStates))];
        count = count.get<int>() + 1;
        hits.packets += rule.hits ? rule.hits->packets : 0;
        hits.bytes += rule.hits ? rule.hits->bytes : 0;
    }
    answer["rules"] = std::move(rules);
    answer["packets"] = hits.packets;
    answer["bytes"] = hits.bytes;
    answer["tunnels_rx_packets"] = received_by_tunnels(context, port.name);
    return answer;
}

Result<const Port*> port_of(const MethodContext& context, const rpc::Call& call) {
    const auto name = call.params.at("port").get<std::string>();
    const auto& ports = context.engine.configured().ports;
    const auto port = ports.find(name);
    if (port == ports.end()) return failure(no_such("port", name, "/port"));
    return &port->second;
}

/// The names of a rule's tunnel and segment, as they are configured now.
std::pair<json, json> names_of(const Model& model, const std::string& port, const FlowRule& rule) {
    std::pair<json, json> names;
    if (rule.kind != FlowRule::Kind::tunnel) return names;
    for (const auto& [name, tunnel] : model.tunnels) {
        const auto underlay = model.underlays.find(tunnel.underlay);
        const bool is_there = underlay != model.underlays.end() && underlay->second.port == port;
        if (is_there && tunnel.remote == rule.remote && tunnel.type == rule.type && tunnel.dst_port == rule.udp_port)
            names.first = name;
    }
    for (const auto& [name, segment] : model.segments)
        if (segment.vni == rule.vni) names.second = name;
    return names;
}

json shown_rule(const Model& model, const OffloadReport& report, const OffloadedRule& row) {
    const bool drops = row.rule.kind == FlowRule::Kind::unknown_vni;
    auto [tunnel, segment] = names_of(model, report.port, row.rule);
    const auto if_any = [](bool is_there, auto value) { return is_there ? json(std::move(value)) : json(); };
    const auto& shape = drops ? report.dropping : report.steering;
    return {{"port", report.port},
            {"what", drops ? "unknown_vni" : "tunnel"},
            {"tunnel", std::move(tunnel)},
            {"segment", std::move(segment)},
            {"type", config::name_of(row.rule.type, config::kTunnelTypes)},
            {"remote", if_any(!drops, row.rule.remote.to_string())},
            {"local", row.rule.local.to_string()},
            {"vni", if_any(!drops, row.rule.vni)},
            {"mark", if_any(row.rule.mark != kNoMark, row.rule.mark)},
            {"shape", row.state == State::installed || row.state == State::leaving ? shown(shape) : json()},
            {"status", config::name_of(row.state, kStates)},
            {"reason", if_any(!row.reason.empty(), row.reason)},
            {"packets", if_any(row.hits.has_value(), row.hits.value_or(FlowHits{}).packets)},
            {"bytes", if_any(row.hits.has_value(), row.hits.value_or(FlowHits{}).bytes)}};
}

/// In which order rules are listed.
std::string key_of(const OffloadReport& report, const OffloadedRule& row) {
    std::string vni = std::to_string(row.rule.vni);
    vni.insert(0, 8 - vni.size(), '0');
    return report.port + "/" + std::to_string(static_cast<int>(row.rule.kind)) + "/" + row.rule.local.to_string() +
           "/" + row.rule.remote.to_string() + "/" + std::to_string(row.rule.udp_port) + "/" + vni;
}

}  // namespace

Answer offload_get(MethodContext& context, const rpc::Call& call) {
    const auto port = port_of(context, call);
    if (!port) return failure(port.error());
    const auto report = context.offload == nullptr ? std::nullopt : context.offload->report((*port)->name);
    return shown_port(context, **port, report);
}

Answer offload_probe(MethodContext& context, const rpc::Call& call) {
    const auto port = port_of(context, call);
    if (!port) return failure(port.error());
    const auto report = context.offload == nullptr ? std::nullopt : context.offload->probe((*port)->name);
    if (!report) {
        return failure({.code = ErrorCode::not_ready,
                        .message = "nothing is asked of the port's device: " + reason_of(context, **port),
                        .field = "/port",
                        .got = (*port)->name,
                        .allowed = "an open port of type ethdev under an underlay, with flow_offload"});
    }
    return shown_port(context, **port, report);
}

Answer offload_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const Model& model = context.engine.configured();
    if (call.params.contains("port"))
        if (const auto port = port_of(context, call); !port) return failure(port.error());
    const auto reports = context.offload == nullptr ? std::vector<OffloadReport>() : context.offload->reports();
    std::vector<std::pair<std::string, json>> rows;
    for (const OffloadReport& report : reports) {
        if (call.params.contains("port") && call.params["port"] != report.port) continue;
        for (const OffloadedRule& row : report.rules)
            rows.emplace_back(key_of(report, row), shown_rule(model, report, row));
    }
    std::ranges::sort(rows, {}, &std::pair<std::string, json>::first);
    for (auto& [key, row] : rows)
        if (page->wants(key)) page->add(key, std::move(row));
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
