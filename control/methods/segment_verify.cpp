// SPDX-License-Identifier: Apache-2.0
// segment.verify
#include <algorithm>
#include <charconv>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/verification_json.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

std::string cursor_of(const VerifiedPair& pair) {
    return pair.from.to_string() + " " + pair.to.to_string();
}

/// "fw-0:10"; nothing if it is no attachment's name.
std::optional<AttachmentName> attachment_name(std::string_view text) {
    const std::size_t colon = text.find(':');
    AttachmentName name{.port = std::string(text.substr(0, colon))};
    if (name.port.empty()) return std::nullopt;
    if (colon == std::string_view::npos) return name;
    const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), name.vlan);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return name;
}

Result<std::pair<AttachmentName, AttachmentName>> pair_of(const std::string& cursor) {
    const std::size_t space = cursor.find(' ');
    if (space != std::string::npos) {
        const auto from = attachment_name(std::string_view(cursor).substr(0, space));
        const auto to = attachment_name(std::string_view(cursor).substr(space + 1));
        if (from && to) return std::pair(*from, *to);
    }
    return refused("/cursor", "is none that an answer gave", in_quotes(config::shortened(cursor, 200)),
                   "the cursor of the last answer");
}

/// The filter `from` or `to`: a port of the segment that the caller may see; empty if it is not given.
Result<std::string> port_of(const MethodContext& context, const rpc::Call& call, const std::string& segment,
                            const char* end) {
    if (!call.params.contains(end)) return std::string();
    const auto name = call.params[end].get<std::string>();
    const Model& model = context.engine.configured();
    if (!may_see_port(call.caller, model, name)) return failure(no_such("port", name, std::string("/") + end));
    const auto& attachments = model.ports.at(name).attachments;
    if (std::ranges::any_of(attachments, [&](const Attachment& of) { return of.segment == segment; })) return name;
    return refused(std::string("/") + end, "is not attached to segment " + in_quotes(segment), in_quotes(name),
                   "a port of the segment");
}

/// What is configured in the segment and not in force, and why.
json waiting_in(const MethodContext& context, const rpc::Call& call, const std::string& segment) {
    const Model& model = context.engine.configured();
    json waiting = json::array();
    const auto add = [&](const char* kind, const std::string& name, const ObjectKey& key) {
        const json state = waiting_state(context.engine, call.caller, key);
        if (state["status"] == "waiting")
            waiting.push_back({{"kind", kind}, {"name", name}, {"reason", state["reason"]}});
    };
    add("segment", segment, key_of(model.segments.at(segment)));
    for (const auto& [key, group] : model.groups)
        if (key.first == segment) add("group", group.name, key_of(group));
    for (const auto& [key, policy] : model.policies)
        if (key.first == segment && may_see(call.caller, model, policy)) add("policy", policy.name, key_of(policy));
    for (const auto& [name, port] : model.ports) {
        const bool is_in = std::ranges::any_of(
            port.attachments, [&](const Attachment& attachment) { return attachment.segment == segment; });
        if (is_in && may_see(call.caller, model, port)) add("port", name, key_of(port));
    }
    return waiting;
}

/// Those behind which are attachments that this node does not know.
json tunnels_of(const rpc::Call& call, const Model& model, const std::string& segment) {
    json names = json::array();
    for (const auto& [name, tunnel] : model.tunnels)
        if (std::ranges::find(tunnel.segments, segment) != tunnel.segments.end() && may_see(call.caller, model, tunnel))
            names.push_back(name);
    return names;
}

}  // namespace

Answer segment_verify(MethodContext& context, const rpc::Call& call) {
    const auto name = call.params.at("name").get<std::string>();
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, name)) return failure(no_such("segment", name, "/name"));
    const auto page = Page::from(call.params);
    if (!page) return failure(page.error());
    auto from = port_of(context, call, name, "from"), to = port_of(context, call, name, "to");
    if (!from) return failure(std::move(from.error()));
    if (!to) return failure(std::move(to.error()));
    VerificationQuestion question{
        .segment = name,
        .intent = model,
        .is_visible =
            [&](const std::string& port) { return !is_tenant(call.caller) || may_see_port(call.caller, model, port); },
        .from = std::move(*from),
        .to = std::move(*to),
        .limit = page->limit()};
    if (page->cursor()) {
        auto after = pair_of(*page->cursor());
        if (!after) return failure(std::move(after.error()));
        question.after = std::move(*after);
    }

    const SegmentVerification found = context.engine.target().verify_segment(question);
    const VerificationNames names{.rule =
                                      [&](const std::string& rule) {
                                          const auto known = model.policies.find({name, rule});
                                          return known == model.policies.end()
                                                     ? !is_tenant(call.caller)
                                                     : may_see(call.caller, model, known->second);
                                      },
                                  .port = question.is_visible};
    json answer = encode(found, names);
    answer["generation"] = context.engine.generation();
    answer["waiting"] = waiting_in(context, call, name);
    answer["tunnels"] = tunnels_of(call, model, name);
    answer["cursor"] = found.has_more ? json(cursor_of(found.pairs.back())) : json();
    return answer;
}

}  // namespace bulkhead::methods
