// SPDX-License-Identifier: Apache-2.0
// Groups and rules in transactions: what hangs on what, what waits, what comes back.
#include <functional>

#include <gtest/gtest.h>

#include "control/state/owned_objects.h"
#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

Port member(std::string name, std::string segment, std::string group) {
    Port port = guest(std::move(name), std::move(segment));
    port.attachments[0].group = std::move(group);
    return port;
}

// web talks to db; what db sends goes through "ids".
Model base() {
    Policy allowed = policy("blue", "web-to-db"), watched = policy("blue", "watched", 50);
    allowed.from.groups = {"web"};
    allowed.to.groups = {"db"};
    watched.from.groups = {"db"};
    watched.action = PolicyAction::redirect;
    watched.to_port = "ids";
    return model_of(segment("blue", 1), segment("red", 2), group("blue", "web", 10), group("blue", "db", 11),
                    group("red", "web", 10), member("web-0", "blue", "web"), guest("ids", "blue"), allowed, watched,
                    policy("red", "all"));
}

struct BadChange {
    const char* what;
    std::function<void(Model&)> spoil;
    ErrorCode code;
    const char* object;
    const char* field;
};

const BadChange kBadChanges[] = {
    {"group of a rule gone", [](Model& m) { m.groups.erase({"blue", "db"}); }, ErrorCode::in_use, "group blue/db", ""},
    {"group of a rule's senders alone gone",
     [](Model& m) {
         m.ports.erase("web-0");
         m.groups.erase({"blue", "web"});
     },
     ErrorCode::in_use, "group blue/web", ""},
    {"group of an attachment gone",
     [](Model& m) {
         m.policies.erase({"blue", "web-to-db"});
         m.groups.erase({"blue", "web"});
     },
     ErrorCode::in_use, "group blue/web", ""},
    {"port of a rule gone", [](Model& m) { m.ports.erase("ids"); }, ErrorCode::in_use, "port ids", ""},
    {"port of a rule leaves the segment", [](Model& m) { m.ports["ids"].attachments = {attached("red")}; },
     ErrorCode::in_use, "port ids", ""},
    {"segment with a rule gone",
     [](Model& m) {
         m.groups.erase({"red", "web"});
         m.segments.erase("red");
     },
     ErrorCode::in_use, "segment red", ""},
    {"segment with a group gone",
     [](Model& m) {
         m.policies.erase({"red", "all"});
         m.segments.erase("red");
     },
     ErrorCode::in_use, "segment red", ""},
    {"id taken", [](Model& m) { m.groups[{"blue", "db"}].id = 10; }, ErrorCode::invalid_params, "group blue/db", "/id"},
    {"port takes its group along",
     [](Model& m) { m.ports["web-0"].attachments[0] = member("", "red", "db").attachments[0]; }, ErrorCode::not_found,
     "port web-0", "/group"},
    {"rule of an unknown group", [](Model& m) { m.policies[{"blue", "watched"}].to.groups = {"none"}; },
     ErrorCode::not_found, "policy blue/watched", "/to/groups/0"},
};

TEST(PolicyState, RefusedChangesNameObjectAndFieldAndChangeNothing) {
    for (const BadChange& bad : kBadChanges) {
        SCOPED_TRACE(bad.what);
        World world;
        auto ready = world.engine.commit(base());
        ASSERT_TRUE(ready) << ready.error().message;
        Model next = base();
        bad.spoil(next);
        for (bool dry_run : {true, false}) {
            auto changes = world.engine.commit(next, {.dry_run = dry_run});
            ASSERT_FALSE(changes);
            EXPECT_EQ(changes.error().code, bad.code) << changes.error().message;
            EXPECT_EQ(changes.error().object_kind + " " + changes.error().object_name, bad.object);
            EXPECT_EQ(changes.error().field, bad.field) << changes.error().message;
        }
        EXPECT_EQ(world.engine.configured(), base());
        EXPECT_EQ(world.disk.saved.model, base());
        EXPECT_EQ(world.target.model, base());
    }
}

TEST(PolicyState, ChangesComeInTheOrderOfDependence) {
    World world;
    auto changes = world.engine.commit(base());
    ASSERT_TRUE(changes) << changes.error().message;
    std::vector<ObjectKind> kinds;
    for (const Change& change : changes->changes)
        if (kinds.empty() || kinds.back() != change.object.kind) kinds.push_back(change.object.kind);
    using enum ObjectKind;
    EXPECT_EQ(kinds, (std::vector{segment, group, port, policy}));
    EXPECT_EQ(described(encode(std::vector{changes->changes.back()})), "add policy red/all");
    EXPECT_EQ(world.target.model, base());
    EXPECT_EQ(world.disk.saved.model, base());
    EXPECT_TRUE(world.engine.commit({})) << "all of it goes together";
    EXPECT_TRUE(world.target.model.policies.empty());
}

TEST(PolicyState, InUseNamesWhoAndWhose) {
    World world;
    Model model = base();
    model.policies[{"blue", "web-to-db"}].owner = "controller";
    ASSERT_TRUE(world.engine.commit(model));
    model.groups.erase({"blue", "db"});
    model.policies.erase({"blue", "watched"});
    EXPECT_EQ(world.engine.commit(model).error().message,
              "group \"blue/db\" is in use by policy \"blue/web-to-db\" of owner \"controller\"");
}

TEST(PolicyState, AllOfItComesBackAtStart) {
    World world;
    ASSERT_TRUE(world.engine.start({}, {7, base()}));
    EXPECT_EQ(world.target.model, base());
    EXPECT_TRUE(world.engine.configuration().unfit.empty());
}

TEST(PolicyState, WhatDoesNotFitAtStartWaitsAndSaysForWhat) {
    World world;
    // The file has given the id of blue's "web" away since.
    ASSERT_TRUE(world.engine.start(model_of(group("blue", "file", 10, "file")), {7, base()}));
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::group, "blue/web"})->field, "/id");
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::port, "web-0"})->field, "/group");
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::policy, "blue/web-to-db"})->field, "/from/groups/0");
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::policy, "blue/watched"}), nullptr);
    EXPECT_EQ(world.engine.waiting_reason({ObjectKind::group, "red/web"}), nullptr) << "red's is another group";
    EXPECT_FALSE(world.target.model.policies.contains({"blue", "web-to-db"}));

    Model next = world.engine.configured();
    put(next, member("web-1", "blue", "web"));
    const auto refused = world.engine.commit(next);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::not_ready) << refused.error().message;
    EXPECT_EQ(refused.error().message.find("group \"web\" is waiting"), 0U) << refused.error().message;

    next = world.engine.configured();
    next.groups[{"blue", "web"}].id = 12;
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_TRUE(world.engine.configuration().unfit.empty()) << "those that waited for it come into force";
    EXPECT_TRUE(world.target.model.policies.contains({"blue", "web-to-db"}));
}

TEST(PolicyState, TheFileWinsAName) {
    World world;
    auto displaced =
        world.engine.start(model_of(group("blue", "web", 99, "file"), policy("red", "all", 5, "file")), {7, base()});
    ASSERT_TRUE(displaced);
    EXPECT_EQ(*displaced, (std::vector<ObjectKey>{{ObjectKind::group, "blue/web"}, {ObjectKind::policy, "red/all"}}));
    EXPECT_EQ(world.target.model.groups.at({"blue", "web"}).id, 99);
    EXPECT_EQ(world.target.model.policies.at({"red", "all"}).order, 5U);
}

TEST(PolicyState, OneOwnersAreReplacedAlone) {
    Model present = base();
    put(present, group("blue", "mine", 1, "me"));
    put(present, policy("blue", "mine", 1, "me"));
    const auto replaced = replace_owner(present, "me", model_of(policy("blue", "other", 2, "me")));
    ASSERT_TRUE(replaced);
    Model expected = base();
    put(expected, policy("blue", "other", 2, "me"));
    EXPECT_EQ(*replaced, expected);
    const auto refused = replace_owner(present, "me", model_of(group("blue", "web", 10, "me")));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::exists);
    EXPECT_EQ(refused.error().object_name, "blue/web");
}

TEST(PolicyState, NoDeviceIsOpenedAnewForAGroup) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    const std::size_t opens = world.factory.opens;
    Model next = base();
    next.ports["web-0"].attachments[0].group = "db";
    ASSERT_TRUE(world.engine.commit(next));
    EXPECT_EQ(world.factory.opens, opens);
    EXPECT_EQ(world.target.model.ports.at("web-0").attachments[0].group, "db");
}

}  // namespace
}  // namespace bulkhead
