// SPDX-License-Identifier: Apache-2.0
// packet.explain
#include "control/config/object_reader.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"
#include "control/methods/hex_frame.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

json shown_reason(DropReason reason) {
    return reason == DropReason::none ? json() : json(to_string(reason));
}

/// Rule and ground stand only where policy was asked.
void add_ground(json& decision, const std::string& rule, std::optional<Ground> ground) {
    if (!ground) return;
    decision["rule"] = text_or_null(rule);
    decision["ground"] = to_string(*ground);
}

json shown_stage(const StageDecision& stage) {
    json shown = {{"stage", stage.stage}, {"decision", stage.decision}, {"reason", shown_reason(stage.reason)}};
    add_ground(shown, stage.rule, stage.ground);
    return shown;
}

json shown_receiver(const ReceiverDecision& receiver) {
    json shown = {{"port", text_or_null(receiver.place.port)},
                  {"tunnel", text_or_null(receiver.place.tunnel)},
                  {"vlan", receiver.place.vlan ? json(*receiver.place.vlan) : json()},
                  {"reason", shown_reason(receiver.reason)}};
    add_ground(shown, receiver.rule, receiver.ground);
    return shown;
}

const char* shown_verdict(PacketVerdict verdict) {
    if (verdict == PacketVerdict::forward) return "forward";
    return verdict == PacketVerdict::drop ? "drop" : "answer";
}

json shown_explanation(const PacketExplanation& said) {
    json egress = json::array(), receivers = json::array(), stages = json::array();
    for (const FramePlace& place : said.egress) egress.push_back(place.to_string());
    for (const ReceiverDecision& receiver : said.receivers) receivers.push_back(shown_receiver(receiver));
    for (const StageDecision& stage : said.stages) stages.push_back(shown_stage(stage));
    return {{"verdict", shown_verdict(said.verdict)},
            {"reason", shown_reason(said.reason)},
            {"segment", text_or_null(said.segment)},
            {"egress", std::move(egress)},
            {"mirrors", said.mirrors},
            {"receivers", std::move(receivers)},
            {"stages", std::move(stages)}};
}

}  // namespace

Answer packet_explain(MethodContext& context, const rpc::Call& call) {
    PacketQuestion question{.port = call.params.at("port").get<std::string>(), .frame = {}, .vlan = {}};
    if (!may_see_port(call.caller, context.engine.configured(), question.port))
        return failure(no_such("port", question.port, "/port"));
    auto frame = frame_from_hex(call.params.at("frame").get_ref<const std::string&>());
    if (!frame) return failure(std::move(frame.error()));
    question.frame = std::move(*frame);
    if (call.params.contains("vlan")) {
        const json& vlan = call.params["vlan"];
        if (vlan < kMinVlan || vlan > kMaxVlan)
            return invalid("/vlan", "vlan is no VLAN ID", config::shown(vlan), "1-4094");
        question.vlan = vlan.get<std::uint16_t>();
    }
    const auto said = context.engine.target().explain_packet(question);
    if (!said) return failure(said.error());
    return shown_explanation(*said);
}

}  // namespace bulkhead::methods
