// SPDX-License-Identifier: Apache-2.0
// policy.explain
#include <algorithm>
#include <tuple>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"
#include "control/methods/hex_frame.h"
#include "vswitch/model/checks.h"
#include "vswitch/packet/ethernet.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The frame that is asked about, and the ends' groups where they are named.
struct Asked {
    std::vector<std::uint8_t> frame;
    std::optional<std::string> from_group, to_group;
};

/// With a frame, `fields` may still name the groups.
Result<Asked> asked_of(const json& params) {
    const bool has_frame = params.contains("frame");
    const json fields = params.value("fields", json::object());
    Asked asked;
    if (!has_frame && !params.contains("fields"))
        return refused("/frame", "is missing, and so are fields", kNothing, "frame, or fields");
    if (fields.contains("from_group") && fields["from_group"].is_string()) asked.from_group = fields["from_group"];
    if (fields.contains("to_group") && fields["to_group"].is_string()) asked.to_group = fields["to_group"];
    if (has_frame) {
        for (const auto& [name, value] : fields.items())
            if (name != "from_group" && name != "to_group")
                return refused("/fields/" + name, "can't be given beside a frame", config::shown(value),
                               "from_group, to_group");
        auto frame = frame_from_hex(params["frame"].get_ref<const std::string&>());
        if (!frame) return failure(std::move(frame.error()));
        asked.frame = std::move(*frame);
        return asked;
    }
    auto flow = config::decode_flow(fields);
    if (!flow) {
        flow.error().field = "/fields" + flow.error().field;
        return failure(std::move(flow.error()));
    }
    asked.frame = frame_of(*flow);
    return asked;
}

/// The group of who has a MAC here; empty: nobody, or of none.
std::string group_of(const MethodContext& context, const std::string& segment, std::uint64_t mac) {
    const Model& model = context.engine.configured();
    for (const MacEntry& entry : context.engine.target().macs(
             {.segments = {{segment}}, .port = {}, .tunnel = {}, .mac = MacAddress(mac)}, {})) {
        const auto port = model.ports.find(entry.port);
        if (port == model.ports.end()) continue;
        for (const Attachment& attachment : port->second.attachments)
            if (attachment.segment == segment && attachment.vlan == entry.vlan) return attachment.group;
    }
    return {};
}

Result<RuleQuestion> question_of(const MethodContext& context, const std::string& segment, const Asked& asked) {
    if (asked.frame.size() < kEthernetHeader)
        return refused("/frame", "is shorter than an Ethernet header", std::to_string(asked.frame.size()) + " octets",
                       "at least 14 octets");
    for (const auto& [group, field] :
         {std::pair(asked.from_group, "/fields/from_group"), {asked.to_group, "/fields/to_group"}})
        if (group && !group->empty() && !context.engine.configured().groups.contains({segment, *group}))
            return failure(no_such("group", *group, field));
    RuleQuestion question;
    dissect(asked.frame, static_cast<std::uint32_t>(asked.frame.size()), question.flow);
    if (question.flow.role == FlowRole::later_fragment)
        return refused("/frame", "is a later fragment, which shares the verdict of the first", "a fragment",
                       "a whole packet");
    question.destination_mac = load_big_endian<std::uint64_t>(asked.frame.data()) >> 16;
    question.source_mac = load_big_endian<std::uint64_t>(asked.frame.data() + 6) >> 16;
    question.from_group = asked.from_group ? *asked.from_group : group_of(context, segment, question.source_mac);
    question.to_group = asked.to_group ? *asked.to_group : group_of(context, segment, question.destination_mac);
    return question;
}

/// Those in force, in the order in which they are asked.
std::vector<const Policy*> rules_of(const MethodContext& context, const std::string& segment) {
    std::vector<const Policy*> rules;
    for (const auto& [key, policy] : context.engine.configured().policies)
        if (key.first == segment && context.engine.waiting_reason(key_of(policy)) == nullptr) rules.push_back(&policy);
    std::ranges::sort(rules, {}, [](const Policy* rule) { return std::tie(rule->order, rule->name); });
    return rules;
}

json shown_action(const RuleAnswer& answer) {
    if (answer.rule == nullptr) return answer.passes ? "allow" : "deny";
    return config::encode(*answer.rule)["action"];
}

/// A rule that the caller may not see has no name.
json shown_name(const MethodContext& context, const rpc::Call& call, const Policy* rule) {
    if (rule == nullptr || !may_see(call.caller, context.engine.configured(), *rule)) return {};
    return rule->name;
}

}  // namespace

Answer policy_explain(MethodContext& context, const rpc::Call& call) {
    const auto segment = call.params.at("segment").get<std::string>();
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, segment)) return failure(no_such("segment", segment, "/segment"));
    const auto asked = asked_of(call.params);
    if (!asked) return failure(asked.error());
    const auto question = question_of(context, segment, *asked);
    if (!question) return failure(question.error());

    const RuleAnswer answer =
        ask_rules(rules_of(context, segment), model.segments.at(segment).default_policy, *question);
    json steps = json::array();
    for (const RuleStep& step : answer.steps)
        steps.push_back({{"rule", shown_name(context, call, step.rule)},
                         {"matches", step.matches},
                         {"why", step.why.empty() ? json() : json(step.why)}});
    const auto text = [](const std::string& group) { return group.empty() ? json() : json(group); };
    json shown = {{"action", shown_action(answer)},
                  {"rule", shown_name(context, call, answer.rule)},
                  {"ground", to_string(answer.ground)},
                  {"from_group", text(question->from_group)},
                  {"to_group", text(question->to_group)},
                  {"steps", std::move(steps)},
                  {"agrees", true}};
    const InstalledAnswer installed = context.engine.target().ask_installed_rules(segment, *question);
    if (installed.agrees(answer)) return shown;
    shown["agrees"] = false;
    shown["installed"] = {
        {"passes", installed.passes}, {"ground", to_string(installed.ground)}, {"rule", text(installed.rule)}};
    shown["warning"] = "the installed rules decide otherwise than the written ones: this is a fault of the switch";
    return shown;
}

}  // namespace bulkhead::methods
