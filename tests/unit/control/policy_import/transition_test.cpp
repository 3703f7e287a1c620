// SPDX-License-Identifier: Apache-2.0
// The steps from one import to the next.
#include "control/policy_import/transition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

Import small_import() {
    Import import{.segment = "blue"};
    import.groups = {{.segment = "blue", .name = "web", .id = 40000}, {.segment = "blue", .name = "db", .id = 40001}};
    import.rules = {{.segment = "blue",
                     .name = "k8s-deny-1",
                     .order = 100100,
                     .to = {.groups = {"db"}},
                     .action = PolicyAction::deny}};
    import.group_of = {{"web-0", "web"}, {"web-1", "web"}, {"db-0", "db"}, {"trunk", "db"}, {"far", "db"}};
    return import;
}

const json kPorts = json::parse(R"([
    {"name": "web-0", "segment": "blue"},
    {"name": "web-1", "segment": "blue", "group": "web"},
    {"name": "db-0", "segment": "blue", "group": "former"},
    {"name": "trunk", "vlans": [{"vlan": 5, "segment": "red"}, {"vlan": 6, "segment": "blue"}]},
    {"name": "gone", "segment": "blue", "group": "former"},
    {"name": "unknown", "segment": "blue"},
    {"name": "far", "segment": "red"}
])");

std::vector<std::string> ports_of(const std::vector<PortChange>& changes) {
    std::vector<std::string> names;
    for (const PortChange& change : changes) names.push_back(change.port);
    return names;
}

TEST(Transition, PortsWithoutAGroupComeFirstAndOthersLater) {
    const PortPlan plan = plan_ports(kPorts, {"former", "web"}, small_import());
    EXPECT_THAT(ports_of(plan.first), ElementsAre("web-0", "trunk"));
    EXPECT_EQ(plan.first[0].parameters, json({{"name", "web-0"}, {"group", "web"}}));
    EXPECT_EQ(plan.first[1].parameters, json::parse(R"({"name": "trunk", "vlans": [{"vlan": 5, "segment": "red"},
                                                       {"vlan": 6, "segment": "blue", "group": "db"}]})"));
    EXPECT_THAT(ports_of(plan.later), ElementsAre("db-0", "gone"));
    EXPECT_EQ(plan.later[1].parameters, json({{"name", "gone"}, {"group", nullptr}}));
    EXPECT_THAT(plan.right, ElementsAre("web-1"));
    EXPECT_THAT(plan.absent, ElementsAre("far"));
    EXPECT_THAT(plan.unlabelled, ElementsAre("gone", "unknown"));
    EXPECT_THAT(plan.foreign, IsEmpty());
}

TEST(Transition, AGroupOfAnotherOwnerStays) {
    const PortPlan plan = plan_ports(kPorts, {}, small_import());
    EXPECT_THAT(plan.foreign, ElementsAre("db-0"));
    EXPECT_THAT(plan.later, IsEmpty());
}

const json kOwn = json::parse(R"({"version": 1, "node": {"name": "x"}, "segments": [{"name": "mine", "vni": 5}],
    "groups": [{"segment": "red", "name": "r", "id": 1}, {"segment": "blue", "name": "former", "id": 40000}],
    "policies": [{"segment": "red", "name": "r"}, {"segment": "blue", "name": "old"}]})");

std::map<std::string, int> ids_in(const json& document) {
    std::map<std::string, int> ids;
    for (const json& group : document.at("groups")) ids[group.at("name")] = group.at("id");
    return ids;
}

std::vector<std::string> rules_in(const json& document) {
    std::vector<std::string> names;
    for (const json& rule : document.at("policies")) names.push_back(rule.at("name"));
    return names;
}

TEST(Transition, NewGroupsComeBesideTheFormerWithNumbersThatAreFree) {
    const json document = with_new_groups(kOwn, small_import());
    EXPECT_EQ(ids_in(document),
              (std::map<std::string, int>{{"r", 1}, {"former", 40000}, {"db", 40001}, {"web", 32768}}));
    EXPECT_THAT(rules_in(document), ElementsAre("r", "old"));
    EXPECT_FALSE(document.contains("node"));
    EXPECT_EQ(document.at("segments"), kOwn.at("segments"));
}

TEST(Transition, AGroupThatPortsStillHaveStaysAndIsCutOff) {
    const json document = with_import(kOwn, small_import(), {"former"});
    EXPECT_EQ(ids_in(document).count("former"), 1U);
    unsigned denials = 0;
    for (const json& rule : document.at("policies")) {
        if (rule.at("segment") == "red" || rule.at("name") == "k8s-deny-1") continue;
        EXPECT_EQ(rule.at("action"), "deny");
        EXPECT_LT(rule.at("order"), 100000);
        EXPECT_EQ(rule.value("from", rule.value("to", json())), json({{"groups", {"former"}}}));
        ++denials;
    }
    EXPECT_EQ(denials, 2U);
}

TEST(Transition, InTheEndThereIsTheImportAndWhatIsInOtherSegments) {
    const json document = with_import(kOwn, small_import(), {});
    EXPECT_EQ(ids_in(document), (std::map<std::string, int>{{"r", 1}, {"web", 40000}, {"db", 40001}}));
    EXPECT_THAT(rules_in(document), ElementsAre("r", "k8s-deny-1"));
    EXPECT_EQ(document.at("policies")[1],
              json::parse(R"({"segment": "blue", "name": "k8s-deny-1", "order": 100100, "action": "deny",
                              "to": {"groups": ["db"]}})"));
}

}  // namespace
}  // namespace bulkhead::policy_import
