// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/event_hub.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "control/rpc/json_rpc.h"
#include "control/rpc/refusal.h"
#include "control/rpc/rfc3339.h"

namespace bulkhead::rpc {

using nlohmann::json;

EventHub::EventHub(std::vector<std::string> kinds, Deliver deliver)
    : kinds_(std::move(kinds)), deliver_(std::move(deliver)) {}

Result<json> EventHub::subscribe(const Call& call) {
    Subscriber subscriber{.caller = call.caller, .kinds = {kinds_.begin(), kinds_.end()}, .lost = 0};
    if (const auto wanted = call.params.find("kinds"); wanted != call.params.end() && !wanted->is_null()) {
        subscriber.kinds.clear();
        for (std::size_t i = 0; i < wanted->size(); ++i) {
            const json& kind = wanted->at(i);
            if (!kind.is_string() || std::ranges::find(kinds_, kind.get_ref<const std::string&>()) == kinds_.end()) {
                return invalid("/kinds/" + std::to_string(i), "no such kind of event", to_line(kind), to_line(kinds_));
            }
            subscriber.kinds.insert(kind.get<std::string>());
        }
    }
    // A loss that has not been told of yet outlives a new subscription.
    const auto former = subscribers_.find(call.caller.connection);
    if (former != subscribers_.end()) subscriber.lost = former->second.lost;
    json reply = {{"kinds", subscriber.kinds}, {"seq", seq_}};
    subscribers_.insert_or_assign(call.caller.connection, std::move(subscriber));
    return reply;
}

Result<json> EventHub::unsubscribe(const Call& call) {
    forget(call.caller.connection);
    return json{{"subscribed", false}};
}

std::string EventHub::line_of(std::string_view kind, json fields) {
    fields["seq"] = ++seq_;
    fields["kind"] = kind;
    if (!fields.contains("time")) fields["time"] = rfc3339(std::chrono::system_clock::now());
    return to_line({{"jsonrpc", "2.0"}, {"method", "event"}, {"params", std::move(fields)}});
}

void EventHub::publish(std::string_view kind, json fields, const Visible& visible) {
    const std::string line = line_of(kind, std::move(fields));
    for (auto& [connection, subscriber] : subscribers_) {
        if (!subscriber.kinds.contains(kind) || (visible && !visible(subscriber.caller))) continue;
        // After a loss nothing is sent until `lost` has told of it, so that the gap stands where it happened.
        if (subscriber.lost > 0 || !deliver_(connection, line)) ++subscriber.lost;
    }
}

void EventHub::drained(std::uint64_t connection) {
    const auto found = subscribers_.find(connection);
    if (found == subscribers_.end() || found->second.lost == 0) return;
    if (deliver_(connection, line_of("lost", {{"count", found->second.lost}}))) found->second.lost = 0;
}

void EventHub::forget(std::uint64_t connection) {
    subscribers_.erase(connection);
}

}  // namespace bulkhead::rpc
