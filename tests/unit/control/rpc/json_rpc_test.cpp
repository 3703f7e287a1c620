// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/json_rpc.h"

#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using nlohmann::json;

/// A server with the methods of the specification's examples, by-name parameters only.
Result<json> invoke(const std::string& method, const json& params) {
    if (method == "subtract") return params.at("minuend").get<int>() - params.at("subtrahend").get<int>();
    if (method == "sum") return params.size();
    if (method == "get_data") return json::array({"hello", 5});
    if (method == "update" || method == "notify_hello") return json();
    if (method == "throw") throw std::runtime_error("expected by the test");
    if (method == "echo") return params;
    return failure(refusal(ErrorCode::method_not_found, "Method not found"));
}

json reply_to(std::string_view line) {
    const auto reply = answer(line, invoke);
    EXPECT_TRUE(reply) << line;
    if (!reply) return {};
    EXPECT_EQ(reply->find('\n'), std::string::npos);
    return json::parse(*reply);  // throws on what is not UTF-8
}

void expect_error(std::string_view line, int code, const json& id = nullptr) {
    const json reply = reply_to(line);
    EXPECT_EQ(reply.at("jsonrpc"), "2.0");
    EXPECT_EQ(reply.at("error").at("code"), code) << line << reply;
    EXPECT_TRUE(reply.contains("id"));
    EXPECT_EQ(reply.at("id"), id) << line;
    EXPECT_FALSE(reply.contains("result"));
}

// https://www.jsonrpc.org/specification#examples

TEST(JsonRpc, NamedParameters) {
    EXPECT_EQ(reply_to(R"({"jsonrpc":"2.0","method":"subtract","params":{"subtrahend":23,"minuend":42},"id":3})"),
              json::parse(R"({"jsonrpc":"2.0","result":19,"id":3})"));
}

TEST(JsonRpc, NotificationsGetNoReplyEvenWhenTheyFail) {
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","method":"update","params":[1,2,3,4,5]})", invoke), std::nullopt);
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","method":"foobar"})", invoke), std::nullopt);
    EXPECT_EQ(answer(R"({"jsonrpc":"2.0","method":"throw"})", invoke), std::nullopt);
}

TEST(JsonRpc, UnknownMethod) {
    expect_error(R"({"jsonrpc":"2.0","method":"foobar","id":"1"})", -32601, "1");
}

TEST(JsonRpc, InvalidJson) {
    expect_error(R"({"jsonrpc":"2.0","method":"foobar,"params":"bar","baz])", -32700);
    expect_error(R"([{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method")", -32700);
    expect_error("", -32700);
    expect_error("{} {}", -32700);
    expect_error(std::string_view("{\"a\0\":1}", 8), -32700);
}

TEST(JsonRpc, InvalidRequest) {
    expect_error(R"({"jsonrpc":"2.0","method":1,"params":"bar"})", -32600);
    expect_error(R"({"jsonrpc":"2.0","method":"sum","params":"bar","id":7})", -32600, 7);
    expect_error(R"({"method":"sum","id":7})", -32600, 7);
    expect_error(R"({"jsonrpc":"1.0","method":"sum","id":7})", -32600, 7);
    expect_error(R"({"jsonrpc":"2.0","method":"sum","id":{"a":1}})", -32600);
    expect_error(R"({"jsonrpc":"2.0","method":"sum","id":true})", -32600);
    expect_error("3", -32600);
    expect_error("null", -32600);
}

TEST(JsonRpc, EmptyBatch) {
    expect_error("[]", -32600);
}

TEST(JsonRpc, BatchesOfInvalidRequests) {
    const json reply = reply_to("[1,2,3]");
    ASSERT_EQ(reply.size(), 3U);
    for (const json& one : reply) {
        EXPECT_EQ(one.at("error").at("code"), -32600);
        EXPECT_EQ(one.at("id"), nullptr);
    }
    EXPECT_EQ(reply_to("[1]").size(), 1U);
}

TEST(JsonRpc, MixedBatch) {
    const json reply = reply_to(R"([
        {"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},
        {"jsonrpc":"2.0","method":"notify_hello","params":[7]},
        {"jsonrpc":"2.0","method":"subtract","params":{"minuend":42,"subtrahend":23},"id":"2"},
        {"foo":"boo"},
        {"jsonrpc":"2.0","method":"foo.get","params":{"name":"myself"},"id":"5"},
        {"jsonrpc":"2.0","method":"get_data","id":"9"}])");
    ASSERT_EQ(reply.size(), 5U);
    EXPECT_EQ(reply[0].at("result"), 3);
    EXPECT_EQ(reply[1].at("result"), 19);
    EXPECT_EQ(reply[2].at("error").at("code"), -32600);
    EXPECT_EQ(reply[2].at("id"), nullptr);
    EXPECT_EQ(reply[3].at("error").at("code"), -32601);
    EXPECT_EQ(reply[3].at("id"), "5");
    EXPECT_EQ(reply[4], json::parse(R"({"jsonrpc":"2.0","result":["hello",5],"id":"9"})"));
}

TEST(JsonRpc, ABatchOfNotificationsGetsNoReply) {
    EXPECT_EQ(answer(R"([{"jsonrpc":"2.0","method":"notify_sum","params":[1,2,4]},
                         {"jsonrpc":"2.0","method":"notify_hello","params":[7]}])",
                     invoke),
              std::nullopt);
}

TEST(JsonRpc, BatchesAreBounded) {
    json batch(kMaxBatch, {{"jsonrpc", "2.0"}, {"method", "get_data"}, {"id", 1}});
    EXPECT_EQ(reply_to(batch.dump()).size(), kMaxBatch);
    batch.push_back(batch[0]);
    const json reply = reply_to(batch.dump());
    EXPECT_EQ(reply.at("error").at("code"), -32005);
    EXPECT_EQ(reply.at("error").at("data").at("allowed"), "at most 1000");
}

TEST(JsonRpc, ABatchIsBoundedInTime) {
    const json batch(100, {{"jsonrpc", "2.0"}, {"method", "slow"}, {"id", 1}});
    std::size_t carried_out = 0;
    const auto reply = answer(
        batch.dump(),
        [&](const std::string&, const json&) -> Result<json> {
            ++carried_out;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            return json(1);
        },
        std::chrono::milliseconds(20));
    const json replies = json::parse(reply.value());
    ASSERT_EQ(replies.size(), 100U);
    EXPECT_GE(carried_out, 1U);
    EXPECT_LE(carried_out, 5U);
    EXPECT_EQ(replies[carried_out - 1]["result"], 1);
    for (std::size_t i = carried_out; i < replies.size(); ++i) {
        ASSERT_EQ(replies[i]["error"]["code"], -32005);
        EXPECT_EQ(replies[i]["error"]["data"]["retryable"], true);
    }
}

TEST(JsonRpc, RepliesOfABatchAreBounded) {
    int carried_out = 0;
    const std::string large(1024 * 1024, 'x');
    const Invoke count = [&](const std::string&, const json&) -> Result<json> {
        ++carried_out;
        return large;
    };
    const json batch(100, {{"jsonrpc", "2.0"}, {"method", "large"}, {"id", 1}});
    const auto reply = json::parse(answer(batch.dump(), count, std::chrono::hours(1)).value());
    EXPECT_EQ(carried_out, 16);
    EXPECT_EQ(reply.size(), 100U);
    EXPECT_EQ(reply.back().at("error").at("code"), -32005);
}

TEST(JsonRpc, IdsComeBackAsTheyWere) {
    for (const char* id : {"null", "\"\"", "\"a\"", "0", "-1", "1.5", "18446744073709551615"}) {
        const auto line = std::string(R"({"jsonrpc":"2.0","method":"get_data","id":)") + id + "}";
        EXPECT_EQ(reply_to(line).at("id"), json::parse(id));
    }
}

TEST(JsonRpc, DepthIsBounded) {
    const auto nested = [](std::size_t depth) {
        return R"({"jsonrpc":"2.0","method":"echo","id":1,"params":)" + std::string(depth, '[') +
               std::string(depth, ']') + "}";
    };
    EXPECT_TRUE(reply_to(nested(kMaxDepth - 1)).contains("result"));
    expect_error(nested(kMaxDepth), -32700);
    expect_error(std::string(8'000'000, '['), -32700);
    std::string objects;
    for (int i = 0; i < 1'000'000; ++i) objects += R"({"a":)";
    expect_error(objects, -32700);
}

TEST(JsonRpc, DuplicateKeysAreRefusedAtAnyDepth) {
    expect_error(R"({"jsonrpc":"2.0","method":"update","method":"sum","id":1})", -32700);
    expect_error(R"({"jsonrpc":"2.0","method":"sum","id":1,"params":{"a":[{"b":1,"b":1}]}})", -32700);
    expect_error(R"({"a":1,"\u0061":2})", -32700);
    EXPECT_TRUE(reply_to(R"({"jsonrpc":"2.0","method":"echo","id":1,"params":{"a":{"a":[{"a":1},{"a":1}]}}})")
                    .contains("result"));
}

TEST(JsonRpc, BadUtf8IsRefusedAndNeverEchoed) {
    expect_error("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\",\"id\":1}", -32700);
    expect_error("\xc3", -32700);
    expect_error("{\"\xed\xa0\x80\":1}", -32700);  // a surrogate
    expect_error(R"({"jsonrpc":"2.0","method":"echo","params":{"a":"\ud800"}})", -32700);
    const Invoke bad = [](const std::string&, const json&) -> Result<json> { return "\xff"; };
    const auto reply = answer(R"({"jsonrpc":"2.0","method":"m","id":1})", bad);
    EXPECT_EQ(json::parse(reply.value()).at("result"), "\xef\xbf\xbd");
}

TEST(JsonRpc, HugeInputMakesSmallErrors) {
    EXPECT_LT(answer('"' + std::string(1'000'000, 'x'), invoke).value().size(), 4096U);
    EXPECT_LT(answer('"' + std::string(1'000'000, 'x') + '"', invoke).value().size(), 4096U);
    std::string cut_inside_a_character;
    for (int i = 0; i < 5000; ++i) cut_inside_a_character += "€";
    reply_to('"' + cut_inside_a_character + '"');
}

TEST(JsonRpc, NumbersOutOfRangeAreRefused) {
    expect_error(R"({"jsonrpc":"2.0","method":"sum","id":1e999})", -32700);
}

TEST(JsonRpc, AnExceptionBecomesAnInternalError) {
    expect_error(R"({"jsonrpc":"2.0","method":"throw","id":1})", -32603, 1);
    expect_error(R"({"jsonrpc":"2.0","method":"subtract","params":{},"id":1})", -32603, 1);
}

TEST(JsonRpc, ErrorObjectsLeaveOutWhatIsEmpty) {
    EXPECT_EQ(error_object(refusal(ErrorCode::invalid_params, "no", "/vni", "0", "1-16777215")),
              json::parse(R"({"code":-32602,"message":"no",
                              "data":{"field":"/vni","got":"0","allowed":"1-16777215","retryable":false}})"));
    EXPECT_EQ(error_object(refusal(ErrorCode::method_not_found, "no")),
              json::parse(R"({"code":-32601,"message":"no"})"));
    Error not_ready = refusal(ErrorCode::not_ready, "wait");
    not_ready.retryable = true;
    EXPECT_EQ(error_object(not_ready), json::parse(R"({"code":-32007,"message":"wait","data":{"retryable":true}})"));
    EXPECT_EQ(error_object(refusal(ErrorCode::not_found, "no")).at("data"), json::parse(R"({"retryable":false})"));
}

}  // namespace
}  // namespace bulkhead::rpc
