// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/dispatcher.h"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/near_names.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

using api::Field;
using api::JsonType;
using api::Method;
using nlohmann::json;
using testing::HasSubstr;

constexpr Field field(std::string_view name, JsonType type, bool required = false) {
    Field made;
    made.name = name;
    made.type = type;
    made.required = required;
    return made;
}

constexpr Field not_yet(std::string_view name, std::string_view default_json) {
    Field made = field(name, JsonType::string);
    made.built_in = false;
    made.default_json = default_json;
    return made;
}

constexpr Field kName = field("name", JsonType::string, true), kVni = field("vni", JsonType::integer, true);
constexpr Field kFlag = field("dry/run", JsonType::boolean), kList = field("list", JsonType::array);
constexpr Field kAny = field("any", JsonType::any), kLater = not_yet("later", R"("none")");

const std::vector<Method> kTable = {
    {.name = "port.list", .params = {}, .roles = kViewersAndTenants, .help = "", .result = ""},
    {.name = "policy.add", .params = {}, .roles = kOperators, .built_in = false, .help = "", .result = ""},
    {.name = "rpc.discover", .params = {}, .roles = kAnyone, .help = "", .result = ""},
    {.name = "segment.add",
     .params = {kName, kVni, kFlag, kList, kAny, kLater},
     .roles = kOperatorsAndTenants,
     .help = "",
     .result = ""},
    {.name = "segment.set",
     .params = {kName, kFlag, kLater},
     .roles = kOperators,
     .merge_patch = true,
     .help = "",
     .result = ""},
    {.name = "system.shutdown", .params = {}, .roles = kAdmins, .help = "", .result = ""},
};

class DispatcherTest : public testing::Test {
  protected:
    DispatcherTest() {
        const Handler echo = [](const Call& call) -> Result<json> { return call.params; };
        for (const char* name : {"port.list", "rpc.discover", "segment.add", "segment.set"}) {
            EXPECT_TRUE(dispatcher.bind(name, echo));
        }
    }

    Result<json> call(std::string_view method, const json& params, Role role = Role::admin) {
        Caller caller;
        caller.uid = 1001;
        caller.role = role;
        return dispatcher.call(caller, method, params);
    }
    Error refused(std::string_view method, const json& params, Role role = Role::admin) {
        const auto result = call(method, params, role);
        EXPECT_FALSE(result) << method << params;
        return result ? Error{} : result.error();
    }
    void expect_invalid(const json& params, const std::string& field, const std::string& got,
                        const std::string& allowed) {
        const Error error = refused("segment.add", params);
        EXPECT_EQ(error.code, ErrorCode::invalid_params);
        EXPECT_EQ(error.field, field);
        EXPECT_EQ(error.got, got);
        EXPECT_EQ(error.allowed, allowed);
        EXPECT_FALSE(error.message.empty());
    }

    Dispatcher dispatcher{kTable};
};

TEST_F(DispatcherTest, CallsTheHandlerWithItsParameters) {
    const json params = {{"name", "blue"}, {"vni", 100}, {"dry/run", true}, {"list", {1}}, {"any", 1.5}};
    EXPECT_EQ(call("segment.add", params), params);
    EXPECT_EQ(call("port.list", nullptr), json::object());
    EXPECT_EQ(call("port.list", json::object()), json::object());
}

TEST_F(DispatcherTest, UnknownMethodsNameNearOnes) {
    const Error error = refused("segment.ad", nullptr);
    EXPECT_EQ(error.code, ErrorCode::method_not_found);
    EXPECT_EQ(error.allowed, "segment.add, segment.set");
    EXPECT_THAT(error.message, HasSubstr("did you mean segment.add"));
    EXPECT_EQ(refused("", nullptr).code, ErrorCode::method_not_found);
    EXPECT_EQ(refused("nothing.like_it", nullptr).allowed, "");
    EXPECT_EQ(refused(std::string(1'000'000, 'x'), nullptr).allowed, "");
}

TEST_F(DispatcherTest, RolesAreThoseOfTheRow) {
    EXPECT_EQ(refused("system.shutdown", nullptr, Role::operator_).code, ErrorCode::denied);
    EXPECT_EQ(refused("segment.add", nullptr, Role::viewer).code, ErrorCode::denied);
    EXPECT_EQ(refused("port.list", nullptr, Role::none).code, ErrorCode::denied);
    EXPECT_EQ(refused("port.list", nullptr, Role::none).allowed, "tenant, viewer, operator, admin");
    EXPECT_TRUE(call("rpc.discover", nullptr, Role::none));
    EXPECT_TRUE(call("port.list", nullptr, Role::tenant));
    // Denied comes before anything that would tell more about the method.
    EXPECT_EQ(refused("policy.add", {{"x", 1}}, Role::tenant).code, ErrorCode::denied);
}

TEST_F(DispatcherTest, WhatIsNotBuiltInSaysSo) {
    EXPECT_EQ(refused("policy.add", {{"anything", 1}}).code, ErrorCode::not_built_in);
    const Error later = refused("segment.add", {{"name", "a"}, {"vni", 1}, {"later", "required"}});
    EXPECT_EQ(later.code, ErrorCode::not_built_in);
    EXPECT_EQ(later.field, "/later");
    EXPECT_EQ(later.allowed, "\"none\"");
    EXPECT_TRUE(call("segment.add", {{"name", "a"}, {"vni", 1}, {"later", "none"}}));
}

TEST_F(DispatcherTest, ParametersAreThoseOfTheRow) {
    expect_invalid({{"name", "a"}}, "/vni", "nothing", "an integer");
    expect_invalid({{"name", 5}, {"vni", 1}}, "/name", "5", "a string");
    expect_invalid({{"name", "a"}, {"vni", 1.5}}, "/vni", "1.5", "an integer");
    expect_invalid({{"name", "a"}, {"vni", "1"}}, "/vni", "\"1\"", "an integer");
    expect_invalid({{"name", "a"}, {"vni", nullptr}}, "/vni", "null", "an integer");
    expect_invalid({{"name", "a"}, {"vni", 1}, {"dry/run", 1}}, "/dry~1run", "1", "true or false");
    expect_invalid({{"name", "a"}, {"vni", 1}, {"list", json::object()}}, "/list", "{}", "an array");
    expect_invalid({{"name", "a"}, {"vni", 1}, {"fl~ood", true}}, "/fl~0ood", "true", "name, vni, dry/run, list, any");
    EXPECT_EQ(refused("port.list", {{"x", 1}}).allowed, "no parameters");
}

TEST_F(DispatcherTest, PositionalParametersAreRefused) {
    const Error error = refused("segment.add", json::array({"blue", 100}));
    EXPECT_EQ(error.code, ErrorCode::invalid_params);
    EXPECT_THAT(error.message, HasSubstr("by name"));
}

TEST_F(DispatcherTest, AMergePatchTakesNullForWhatIsOptional) {
    EXPECT_TRUE(call("segment.set", {{"name", "blue"}, {"dry/run", nullptr}, {"later", nullptr}}));
    EXPECT_EQ(refused("segment.set", {{"name", nullptr}}).field, "/name");
    EXPECT_EQ(refused("segment.set", {{"name", "blue"}, {"dry/run", 1}}).field, "/dry~1run");
}

TEST_F(DispatcherTest, WhatAHandlerThrowsIsAnInternalError) {
    ASSERT_TRUE(
        dispatcher.bind("system.shutdown", [](const Call&) -> Result<json> { throw std::out_of_range("secret"); }));
    const Error error = refused("system.shutdown", nullptr);
    EXPECT_EQ(error.code, ErrorCode::internal);
    EXPECT_EQ(error.message.find("secret"), std::string::npos);
}

TEST_F(DispatcherTest, WhatAHandlerRefusesComesThrough) {
    ASSERT_TRUE(dispatcher.bind(
        "system.shutdown", [](const Call&) -> Result<json> { return failure(refusal(ErrorCode::in_use, "busy")); }));
    EXPECT_EQ(refused("system.shutdown", nullptr).code, ErrorCode::in_use);
}

TEST_F(DispatcherTest, StartingNeedsAHandlerForEveryBuiltInRow) {
    const auto incomplete = dispatcher.check_complete();
    ASSERT_FALSE(incomplete);
    EXPECT_THAT(incomplete.error().message, HasSubstr("system.shutdown"));
    EXPECT_EQ(incomplete.error().message.find("policy.add"), std::string::npos);
    ASSERT_TRUE(dispatcher.bind("system.shutdown", [](const Call&) -> Result<json> { return json(); }));
    EXPECT_TRUE(dispatcher.check_complete());
}

TEST_F(DispatcherTest, AHandlerIsBoundOnceAndToARow) {
    const Handler nothing = [](const Call&) -> Result<json> { return json(); };
    EXPECT_EQ(dispatcher.bind("port.list", nothing).error().code, ErrorCode::exists);
    EXPECT_EQ(dispatcher.bind("port.lst", nothing).error().code, ErrorCode::method_not_found);
}

TEST(NearNames, EditDistance) {
    EXPECT_EQ(api::edit_distance("", ""), 0U);
    EXPECT_EQ(api::edit_distance("abc", ""), 3U);
    EXPECT_EQ(api::edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace bulkhead::rpc
