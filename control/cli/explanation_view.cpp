// SPDX-License-Identifier: Apache-2.0
#include "control/cli/explanation_view.h"

#include "control/cli/table.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

json member(const json& object, const char* key) {
    return object.is_object() ? object.value(key, json()) : json();
}

json list_at(const json& object, const char* key) {
    const json list = member(object, key);
    return list.is_array() ? list : json::array();
}

/// "rule web-to-db", "by default", "an open connection"; empty: policy was not asked.
std::string words_of_ground(const json& decision) {
    if (const json rule = member(decision, "rule"); rule.is_string()) return "rule " + one_line(rule);
    const json ground = member(decision, "ground");
    return ground.is_null() ? "" : ground == "none" ? "default" : one_line(ground);
}

std::string place_of(const json& receiver) {
    const json tunnel = member(receiver, "tunnel"), vlan = member(receiver, "vlan");
    std::string text = tunnel.is_string() ? "tunnel:" + one_line(tunnel) : one_line(member(receiver, "port"));
    if (!vlan.is_null()) text += ":" + one_line(vlan);
    return text;
}

Cell reason_cell(const json& decision) {
    return {one_line(member(decision, "reason"))};
}

}  // namespace

std::string render_packet(const json& result, const Screen& screen) {
    Table stages({"STAGE", "DECISION", "DROPPED"});
    for (const json& stage : list_at(result, "stages"))
        stages.add({cell_of(member(stage, "stage")), {one_line(member(stage, "decision"))}, reason_cell(stage)});
    std::string text = stages.text(screen);
    if (const json list = list_at(result, "receivers"); !list.empty()) {
        Table receivers({"RECEIVER", "DROPPED", "POLICY"});
        for (const json& receiver : list) {
            const std::string ground = words_of_ground(receiver);
            receivers.add({{place_of(receiver)}, reason_cell(receiver), {ground.empty() ? "-" : ground}});
        }
        text += "\n" + receivers.text(screen);
    }
    text += "\n" + one_line(member(result, "verdict"));
    if (const json reason = member(result, "reason"); reason.is_string()) text += ": " + one_line(reason);
    if (const json egress = list_at(result, "egress"); !egress.empty()) text += " to " + one_line(egress);
    return text + "\n";
}

std::string render_policy(const json& result, const Screen& screen) {
    const json steps = list_at(result, "steps");
    Table table({"RULE", "MATCHES", "WHY IT DOES NOT DECIDE"});
    for (const json& step : steps)
        table.add({cell_of(member(step, "rule")), cell_of(member(step, "matches")), {one_line(member(step, "why"))}});
    std::string text = steps.empty() ? "" : table.text(screen) + "\n";
    const std::string ground = words_of_ground(result);
    text += one_line(member(result, "action")) + (ground.empty() ? "" : ": " + ground) + ", from group " +
            one_line(member(result, "from_group")) + " to group " + one_line(member(result, "to_group")) + "\n";
    if (const json warning = member(result, "warning"); warning.is_string())
        text += "WARNING: " + one_line(warning) + ": " + member(result, "installed").dump() + "\n";
    return text;
}

}  // namespace bulkhead::cli
