// SPDX-License-Identifier: Apache-2.0
#include "control/api/methods.h"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bulkhead::api {
namespace {

const Field* param(const Method& method, std::string_view name) {
    const auto found = std::ranges::find(method.params, name, &Field::name);
    return found == method.params.end() ? nullptr : &*found;
}

TEST(Methods, AreSortedAndUnique) {
    EXPECT_EQ(std::ranges::adjacent_find(method_table(), {}, &Method::name), method_table().end());
    EXPECT_TRUE(std::ranges::is_sorted(method_table(), {}, &Method::name));
}

TEST(Methods, AreFoundByName) {
    for (const Method& method : method_table()) EXPECT_EQ(find_method(method.name), &method);
    EXPECT_EQ(find_method("segment.ad"), nullptr);
    EXPECT_EQ(find_method(""), nullptr);
    EXPECT_EQ(find_method("zzz.zzz"), nullptr);
}

TEST(Methods, OfTheContractAreThere) {
    std::set<std::string> built_in, planned;
    for (const Method& method : method_table()) (method.built_in ? built_in : planned).emplace(method.name);
    EXPECT_THAT(
        built_in,
        testing::ElementsAre(
            "config.apply", "config.confirm", "config.get", "connection.flush", "connection.list", "drop.list",
            "events.subscribe", "events.unsubscribe", "fdb.add", "fdb.flush", "fdb.list", "fdb.remove", "group.add",
            "group.get", "group.list", "group.remove", "group.set", "mirror.add", "mirror.get", "mirror.list",
            "mirror.remove", "mirror.set", "offload.get", "offload.list", "offload.probe", "packet.explain",
            "policy.add", "policy.explain", "policy.get", "policy.list", "policy.remove", "policy.set", "port.add",
            "port.get", "port.list", "port.move", "port.remove", "port.set", "rpc.discover", "segment.add",
            "segment.get", "segment.list", "segment.remove", "segment.set", "segment.verify", "stats.get", "system.get",
            "system.shutdown", "tunnel.add", "tunnel.get", "tunnel.list", "tunnel.remove", "tunnel.set", "underlay.add",
            "underlay.get", "underlay.list", "underlay.neighbors", "underlay.remove", "underlay.set"));
    EXPECT_THAT(planned, testing::IsSupersetOf({"capture.add", "key.list"}));
}

TEST(Methods, EveryRowSaysWhatItIsAndAdminsMayCallAll) {
    for (const Method& method : method_table()) {
        EXPECT_EQ(std::ranges::count(method.name, '.'), 1) << method.name;
        EXPECT_FALSE(method.help.empty()) << method.name;
        EXPECT_FALSE(method.result.empty()) << method.name;
        EXPECT_TRUE((method.roles & kAdmins) != 0) << method.name;
        std::set<std::string_view> names;
        for (const Field& field : method.params) {
            EXPECT_TRUE(names.insert(field.name).second) << method.name << " " << field.name;
            EXPECT_FALSE(field.help.empty()) << method.name << " " << field.name;
            EXPECT_TRUE(field.default_json.empty() || nlohmann::json::accept(field.default_json)) << field.name;
        }
    }
}

TEST(Methods, OnlyReadersWhoMayReadDoSo) {
    EXPECT_EQ(find_method("segment.add")->roles, kOperatorsAndTenants);
    EXPECT_EQ(find_method("segment.get")->roles, kViewersAndTenants);
    EXPECT_EQ(find_method("system.shutdown")->roles, kAdmins);
    EXPECT_EQ(find_method("config.apply")->roles, kOperators);
    EXPECT_EQ(find_method("config.get")->roles, kViewers);
    EXPECT_EQ(find_method("underlay.add")->roles, kAdmins);
    EXPECT_EQ(find_method("underlay.neighbors")->roles, kViewers);
    EXPECT_EQ(find_method("tunnel.set")->roles, kOperators);
    EXPECT_EQ(find_method("tunnel.list")->roles, kViewers);
    EXPECT_EQ(find_method("rpc.discover")->roles, kAnyone);
}

TEST(Methods, AddTakesTheObjectsOwnFields) {
    const Method& add = *find_method("port.add");
    ASSERT_EQ(add.params.size(), port_fields().size());
    EXPECT_TRUE(param(add, "type")->required);
    EXPECT_EQ(param(add, "queues")->default_json, "1");
    EXPECT_FALSE(add.merge_patch);
    EXPECT_EQ(find_method("fdb.add")->params.size(), fdb_fields().size());
}

TEST(Methods, SetIsAMergePatchThatNeedsOnlyTheName) {
    for (const std::string_view name : {"segment.set", "port.set", "underlay.set", "tunnel.set"}) {
        const Method& set = *find_method(name);
        EXPECT_TRUE(set.merge_patch);
        for (const Field& field : set.params) {
            EXPECT_EQ(field.required, field.name == "name") << field.name;
            EXPECT_TRUE(field.default_json.empty()) << field.name;  // a default would undo what is not mentioned
        }
    }
}

TEST(Methods, SetOfWhatIsNamedWithinASegmentNeedsBothNames) {
    for (const std::string_view name : {"group.set", "policy.set"}) {
        for (const Field& field : find_method(name)->params) {
            EXPECT_EQ(field.required, field.name == "segment" || field.name == "name") << field.name;
            EXPECT_TRUE(field.default_json.empty()) << field.name;
        }
    }
}

TEST(Methods, EveryListPages) {
    for (const Method& method : method_table()) {
        if (!method.name.ends_with(".list")) continue;
        ASSERT_NE(param(method, "limit"), nullptr) << method.name;
        ASSERT_NE(param(method, "cursor"), nullptr) << method.name;
        EXPECT_EQ(param(method, "cursor")->type, JsonType::string);
        EXPECT_TRUE(std::ranges::none_of(method.params, &Field::required)) << method.name;
    }
}

}  // namespace
}  // namespace bulkhead::api
