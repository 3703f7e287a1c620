// SPDX-License-Identifier: Apache-2.0
// policy.add, set, remove, get, list
#include <algorithm>
#include <cstdio>
#include <tuple>
#include <vector>

#include "control/methods/mirror_state.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "control/methods/segment_objects.h"
#include "vswitch/model/admission.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

json shown_policy(const Engine& engine, const rpc::Caller& caller, const Policy& policy) {
    const RuleHits hits = engine.target().rule_hits(policy.segment, policy.name);
    json object = config::encode(policy);
    json& state = object["state"] = waiting_state(engine, caller, key_of(policy));
    state["packets"] = hits.packets;
    state["bytes"] = hits.bytes;
    // What a rule that mirrors has decided is nothing: it tells of its copies.
    if (policy.action == PolicyAction::mirror)
        state.update(shown_copies(engine.target().mirror_stats(policy.segment, policy.name)));
    return object;
}

/// Within each segment in the order in which frames are asked.
std::vector<const Policy*> in_order(const Model& model) {
    std::vector<const Policy*> rules;
    for (const auto& [key, policy] : model.policies) rules.push_back(&policy);
    std::ranges::sort(rules, {}, [](const Policy* rule) { return std::tie(rule->segment, rule->order, rule->name); });
    return rules;
}

/// Sorts as text as the rules do.
std::string page_key_of(const Policy& policy) {
    char order[16];
    std::snprintf(order, sizeof order, "%010u", policy.order);
    return page_key({policy.segment, order, policy.name});
}

}  // namespace

Answer policy_add(MethodContext& context, const rpc::Call& call) {
    auto policy = config::decode_policy(call.params, owner_of_new(call.caller));
    if (!policy) return failure(std::move(policy.error()));
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, policy->segment))
        return failure(no_such_segment(policy->segment, "/segment"));
    const SegmentKey key(policy->segment, policy->name);
    return add_object(context, call, model, &Model::policies, key, std::move(*policy));
}

Answer policy_set(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::policies, "policy");
    if (!key) return failure(std::move(key.error()));
    return set_object(context, call, &Model::policies, *key,
                      [](const json& object) { return config::decode_policy(object); });
}

Answer policy_remove(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::policies, "policy");
    if (!key) return failure(std::move(key.error()));
    Model candidate = context.engine.configured();
    const ObjectKey object = key_of(candidate.policies.at(*key));
    candidate.policies.erase(*key);
    return removed_object(object, call, change(context, call, std::move(candidate)));
}

Answer policy_get(MethodContext& context, const rpc::Call& call) {
    auto key = visible_key(context, call, &Model::policies, "policy");
    if (!key) return failure(std::move(key.error()));
    return shown_policy(context.engine, call.caller, context.engine.configured().policies.at(*key));
}

Answer policy_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const Model& model = context.engine.configured();
    if (auto ok = check_segment_filter(call, model, model.policies); !ok) return failure(std::move(ok.error()));
    for (const Policy* policy : in_order(model)) {
        if (!may_see(call.caller, model, *policy) || !passes(call.params, *policy)) continue;
        const std::string place = page_key_of(*policy);
        if (page->wants(place)) page->add(place, shown_policy(context.engine, call.caller, *policy));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
