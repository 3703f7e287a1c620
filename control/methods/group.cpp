// SPDX-License-Identifier: Apache-2.0
// group.add, set, remove, get, list
#include <map>

#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/segment_objects.h"
#include "vswitch/model/admission.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The attachments of each group that the caller may see, by (segment, group); gathered once for a whole list.
std::map<SegmentKey, json> members_by_group(const rpc::Caller& caller, const Model& model) {
    std::map<SegmentKey, json> result;
    for (const auto& [name, port] : model.ports) {
        if (!may_see(caller, model, port)) continue;
        for (const Attachment& attachment : port.attachments) {
            if (attachment.group.empty()) continue;
            json& members = result.try_emplace({attachment.segment, attachment.group}, json::array()).first->second;
            members.push_back({{"port", name}, {"vlan", attachment.vlan ? json(*attachment.vlan) : json()}});
        }
    }
    return result;
}

json shown_group(const Engine& engine, const rpc::Caller& caller, const Group& group,
                 const std::map<SegmentKey, json>& members) {
    const auto found = members.find({group.segment, group.name});
    json object = config::encode(group);
    object["state"] = waiting_state(engine, caller, key_of(group));
    object["state"]["members"] = found == members.end() ? json::array() : found->second;
    return object;
}

}  // namespace

Answer group_add(MethodContext& context, const rpc::Call& call) {
    auto group = config::decode_group(call.params, owner_of_new(call.caller));
    if (!group) return failure(std::move(group.error()));
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, group->segment))
        return failure(no_such_segment(group->segment, "/segment"));
    const SegmentKey key(group->segment, group->name);
    return add_object(context, call, model, &Model::groups, key, std::move(*group));
}

Answer group_set(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::groups, "group");
    if (!key) return failure(std::move(key.error()));
    return set_object(context, call, &Model::groups, *key,
                      [](const json& object) { return config::decode_group(object); });
}

Answer group_remove(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::groups, "group");
    if (!key) return failure(std::move(key.error()));
    Model candidate = context.engine.configured();
    const ObjectKey object = key_of(candidate.groups.at(*key));
    candidate.groups.erase(*key);
    return removed_object(object, call, change(context, call, std::move(candidate)));
}

Answer group_get(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::groups, "group");
    if (!key) return failure(std::move(key.error()));
    const Model& model = context.engine.configured();
    return shown_group(context.engine, call.caller, model.groups.at(*key), members_by_group(call.caller, model));
}

Answer group_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const Model& model = context.engine.configured();
    if (auto ok = check_segment_filter(call, model, model.groups); !ok) return failure(std::move(ok.error()));
    const auto members = members_by_group(call.caller, model);
    for (const auto& [key, group] : model.groups) {
        if (!may_see(call.caller, model, group) || !passes(call.params, group)) continue;
        const std::string place = page_key({group.segment, group.name});
        if (page->wants(place)) page->add(place, shown_group(context.engine, call.caller, group, members));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
