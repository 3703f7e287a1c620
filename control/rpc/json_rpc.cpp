// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/json_rpc.h"

#include <spdlog/spdlog.h>

#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxMessage = 2048, kMaxGot = 256;

/// A cut may fall inside a UTF-8 sequence; to_line() makes that whole again.
std::string cut(const std::string& text, std::size_t most) {
    return text.size() <= most ? text : text.substr(0, most) + "…";
}

Error invalid_request(std::string message, std::string field = {}, std::string got = {}, std::string allowed = {}) {
    return refusal(ErrorCode::invalid_request, std::move(message), std::move(field), std::move(got),
                   std::move(allowed));
}

/// Section 4: what a request must look like. The id is looked at apart, since a refusal carries it.
std::optional<Error> flaw_of(const json& request) {
    if (const auto version = request.find("jsonrpc"); version == request.end() || *version != "2.0") {
        return invalid_request("not a JSON-RPC 2.0 request", "/jsonrpc",
                               version == request.end() ? "nothing" : to_line(*version), R"("2.0")");
    }
    if (const auto method = request.find("method"); method == request.end() || !method->is_string()) {
        return invalid_request("a request names its method", "/method",
                               method == request.end() ? "nothing" : to_line(*method), "a string");
    }
    if (const auto params = request.find("params"); params != request.end() && !params->is_structured()) {
        return invalid_request("params holds parameters by name", "/params", to_line(*params), "an object");
    }
    return std::nullopt;
}

std::string result_reply(json result, const json& id) {
    json reply = {{"jsonrpc", "2.0"}, {"id", id}};
    reply["result"] = std::move(result);
    return to_line(reply);
}

Result<json> invoked(const json& request, const Invoke& invoke) {
    static const json kNone;
    const auto params = request.find("params");
    try {
        return invoke(request.at("method").get_ref<const std::string&>(), params == request.end() ? kNone : *params);
    } catch (const std::exception& error) {
        spdlog::error("{}: {}", to_line(request.at("method")), error.what());
        return failure(refusal(ErrorCode::internal, "internal error; the log says more"));
    }
}

std::optional<std::string> answer_one(const json& request, const Invoke& invoke) {
    if (!request.is_object()) return error_reply(invalid_request("a request is a JSON object", "", to_line(request)));

    const auto id = request.find("id");
    const bool notification = id == request.end();
    if (!notification && !id->is_string() && !id->is_number() && !id->is_null()) {
        return error_reply(
            invalid_request("id is of the wrong type", "/id", to_line(*id), "a string, a number or null"));
    }
    // A malformed request is answered even without an id: it can't be told whether it was meant as a notification.
    if (const auto flaw = flaw_of(request)) return error_reply(*flaw, notification ? json() : *id);

    auto result = invoked(request, invoke);
    if (notification) return std::nullopt;
    return result ? result_reply(std::move(*result), *id) : error_reply(result.error(), *id);
}

std::optional<std::string> answer_batch(const json& batch, const Invoke& invoke, std::chrono::milliseconds time) {
    if (batch.empty()) return error_reply(invalid_request("an empty batch", "", "[]", "at least one request"));
    if (batch.size() > kMaxBatch) {
        return error_reply(refusal(ErrorCode::limit, "too many requests in one batch", "", std::to_string(batch.size()),
                                   "at most " + std::to_string(kMaxBatch)));
    }
    const Invoke too_large = [](const std::string&, const json&) -> Result<json> {
        return failure(refusal(ErrorCode::limit, "not carried out: the batch's replies have grown too large", "", "",
                               std::to_string(kMaxBatchReply) + " bytes of replies"));
    };
    const Invoke too_long = [&](const std::string&, const json&) -> Result<json> {
        Error error = refusal(
            ErrorCode::limit, "not carried out: the batch has taken too long", "", "",
            std::to_string(time.count()) + " ms for a batch: send the rest again, or many objects as one config.apply");
        error.retryable = true;
        return failure(std::move(error));
    };
    const auto end = std::chrono::steady_clock::now() + time;
    std::string replies;
    for (const json& request : batch) {
        const bool late = std::chrono::steady_clock::now() >= end;
        const auto reply = answer_one(request, late ? too_long : replies.size() > kMaxBatchReply ? too_large : invoke);
        if (reply) replies += (replies.empty() ? '[' : ',') + *reply;
    }
    if (replies.empty()) return std::nullopt;
    return replies + ']';
}

}  // namespace

std::optional<std::string> answer(std::string_view line, const Invoke& invoke, std::chrono::milliseconds batch_time) {
    const auto parsed = parse_json(line);
    if (!parsed) return error_reply(parsed.error());
    return parsed->is_array() ? answer_batch(*parsed, invoke, batch_time) : answer_one(*parsed, invoke);
}

json error_object(const Error& error) {
    json data = json::object();
    if (!error.field.empty()) data["field"] = cut(error.field, kMaxGot);
    if (!error.got.empty()) data["got"] = cut(error.got, kMaxGot);
    if (!error.allowed.empty()) data["allowed"] = cut(error.allowed, kMaxMessage);
    const int code = static_cast<int>(error.code);
    const bool ours = code > -32100 && code <= -32000;  // section 5.1: what the standard leaves to servers
    if (ours || error.retryable || !data.empty()) data["retryable"] = error.retryable;

    json object = {{"code", code}, {"message", cut(error.message, kMaxMessage)}};
    if (!data.empty()) object["data"] = std::move(data);
    return object;
}

std::string error_reply(const Error& error, const json& id) {
    return to_line({{"jsonrpc", "2.0"}, {"id", id}, {"error", error_object(error)}});
}

std::string to_line(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace bulkhead::rpc
