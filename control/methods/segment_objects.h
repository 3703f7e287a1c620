// SPDX-License-Identifier: Apache-2.0
// What the methods of groups and policies have in common: objects that are named within a segment.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "control/methods/authority.h"
#include "control/methods/context.h"

namespace bulkhead::methods {

/// The segment, and the name within it.
using SegmentKey = std::pair<std::string, std::string>;

/// The object that the parameters `segment` and `name` name, if the caller may see it.
template <typename Map>
Result<SegmentKey> visible_key(const MethodContext& context, const rpc::Call& call, Map Model::* objects,
                               std::string_view kind) {
    const Model& model = context.engine.configured();
    SegmentKey key(call.params.at("segment").get<std::string>(), call.params.at("name").get<std::string>());
    const auto found = (model.*objects).find(key);
    if (found != (model.*objects).end() && may_see(call.caller, model, found->second)) return key;
    if (!may_see_segment(call.caller, model, key.first)) return failure(no_such("segment", key.first, "/segment"));
    return failure(no_such(kind, key.second, "/name"));
}

/// The filter `segment` of a list: refused when it names what is not there and nothing waits for.
template <typename Map>
Result<> check_segment_filter(const rpc::Call& call, const Model& model, const Map& objects) {
    const std::string segment = call.params.value("segment", std::string());
    if (!call.params.contains("segment") || may_see_segment(call.caller, model, segment)) return {};
    const bool is_waited_for = std::ranges::any_of(objects, [&](const auto& entry) {
        return entry.second.segment == segment && may_see(call.caller, model, entry.second);
    });
    if (is_waited_for) return {};
    return failure(no_such("segment", segment, "/segment"));
}

/// Whether the filters `segment` and `owner` let an object pass.
template <typename Object>
bool passes(const nlohmann::json& params, const Object& object) {
    auto differs = [&](const char* filter, const std::string& value) {
        return params.contains(filter) && params[filter] != value;
    };
    return !differs("segment", object.segment) && !differs("owner", object.owner);
}

/// Joined by what sorts before every character of a name, so that keys sort as text as they do word by word.
[[nodiscard]] inline std::string page_key(std::initializer_list<std::string_view> words) {
    std::string key;
    for (const std::string_view word : words) key.append(key.empty() ? "" : " ").append(word);
    return key;
}

}  // namespace bulkhead::methods
