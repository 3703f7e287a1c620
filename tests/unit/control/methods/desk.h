// SPDX-License-Identifier: Apache-2.0
// Callers and a world to call the handlers in.
#pragma once

#include <gtest/gtest.h>

#include "control/methods/context.h"
#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead::methods {

using nlohmann::json;

inline rpc::Caller caller(Role role, std::string tenant = {}) {
    rpc::Caller result;
    result.uid = 1000;
    result.role = role;
    result.tenant = std::move(tenant);
    return result;
}

class Desk : public ::testing::Test {
  protected:
    Answer call(std::string_view method, const json& params, const rpc::Caller& who) {
        const api::Method row{.name = method, .params = {}, .help = {}, .result = {}};
        for (const NamedHandler& bound : bound_) {
            if (bound.method == method) return bound.handler({who, params, row});
        }
        ADD_FAILURE() << "no handler for " << method;
        return json();
    }
    Answer call(std::string_view method, const json& params) { return call(method, params, admin); }

    // For what must succeed while a test is set up.
    json done(std::string_view method, const json& params) {
        auto answer = call(method, params);
        if (answer) return *answer;
        ADD_FAILURE() << method << ": " << answer.error().field << " " << answer.error().message;
        return json();
    }
    void expect_refusal(const Answer& answer, ErrorCode code, std::string_view field) {
        ASSERT_FALSE(answer) << answer->dump();
        EXPECT_EQ(answer.error().code, code) << answer.error().message;
        EXPECT_EQ(answer.error().field, field) << answer.error().message;
        EXPECT_FALSE(answer.error().message.empty());
    }

    static json guest(const std::string& name, const std::string& segment) {
        return {{"name", name}, {"type", "vhost-user"}, {"path", "/run/bulkhead/vhost/" + name}, {"segment", segment}};
    }

    rpc::Caller admin = caller(Role::admin), oper = caller(Role::operator_), acme = caller(Role::tenant, "acme");
    testing_support::World world;
    config::Node node;
    std::vector<std::string> audited;
    MethodContext context{
        .engine = world.engine,
        .node = node,
        .cores = {3, 5},
        .dpdk_version = "DPDK 22.11",
        .audit = [this](const Audited& entry) { audited.push_back(entry.object + ": " + entry.result); }};

  private:
    std::vector<NamedHandler> bound_ = handlers(context);
};

}  // namespace bulkhead::methods
