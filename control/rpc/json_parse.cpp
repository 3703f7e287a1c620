// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <stdexcept>
#include <vector>

#include "control/rpc/json_rpc.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using nlohmann::json;

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Sees every token before it becomes part of the document, so that depth is bounded before anything recursive (dump,
/// destruction) gets to see it, and a second key is seen before it silently replaces the first.
class Gate {
  public:
    bool operator()(int depth, json::parse_event_t event, const json& token) {
        switch (event) {
            case json::parse_event_t::object_start:
            case json::parse_event_t::array_start:
                if (depth >= kMaxDepth) {
                    throw Refused("nested deeper than " + std::to_string(kMaxDepth) + " levels");
                }
                keys_.emplace_back();
                break;
            case json::parse_event_t::object_end:
            case json::parse_event_t::array_end:
                keys_.pop_back();
                break;
            case json::parse_event_t::key:
                if (!keys_.back().insert(token.get_ref<const std::string&>()).second) {
                    throw Refused("the key \"" + token.get_ref<const std::string&>() + "\" stands twice in one object");
                }
                break;
            case json::parse_event_t::value:
                break;
        }
        return true;
    }

  private:
    std::vector<std::set<std::string>> keys_;  ///< of each object that is open
};

std::unexpected<Error> parse_error(const std::string& why) {
    return failure(refusal(ErrorCode::parse_error, "not valid JSON: " + why));
}

/// "[json.exception.parse_error.101] parse error at line 1, column 2: …" without the library's own name for it.
std::string without_tag(const std::string& what) {
    const auto end = what.find("] ");
    return what.starts_with("[json.exception") && end != std::string::npos ? what.substr(end + 2) : what;
}

}  // namespace

Result<json> parse_json(std::string_view text) {
    try {
        Gate gate;
        return json::parse(
            text, [&gate](int depth, json::parse_event_t event, json& token) { return gate(depth, event, token); });
    } catch (const Refused& refused) {
        return parse_error(refused.what());
    } catch (const json::exception& error) {
        return parse_error(without_tag(error.what()));
    } catch (const std::bad_alloc&) {
        return parse_error("too large for the memory at hand");
    }
}

}  // namespace bulkhead::rpc
