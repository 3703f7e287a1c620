// SPDX-License-Identifier: Apache-2.0
// Changes that are refused, one line each: the code, the object, the field; and that nothing has changed.
#include <functional>

#include <gtest/gtest.h>

#include "control/state/owned_objects.h"
#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

Model base() {
    Port shared = guest("shared", "blue", "cni");
    Port trunk = guest("trunk");
    trunk.attachments = {attached("red", std::uint16_t{10})};
    return model_of(segment("blue", 1), segment("red", 2), segment("gray", 3, "cni"), guest("web", "blue"), shared,
                    trunk, StaticMac{"", "red", MacAddress(0x020000000001), "trunk"});
}

struct BadChange {
    const char* what;
    std::function<void(Model&)> spoil;
    ErrorCode code;
    const char* object;
    const char* field;
};

const BadChange kBadChanges[] = {
    {"vni changed", [](Model& m) { m.segments["blue"].vni = 9; }, ErrorCode::invalid_params, "segment blue", "/vni"},
    {"path changed", [](Model& m) { std::get<VhostUserDevice>(m.ports["web"].device).path = "/x"; },
     ErrorCode::invalid_params, "port web", "/path"},
    {"mode changed", [](Model& m) { std::get<VhostUserDevice>(m.ports["web"].device).mode = VhostMode::server; },
     ErrorCode::invalid_params, "port web", "/mode"},
    {"queues changed", [](Model& m) { m.ports["web"].queues = 2; }, ErrorCode::invalid_params, "port web", "/queues"},
    {"type changed",
     [](Model& m) { m.ports["web"].device = TapDevice{.netns = "", .ifname = "a", .mac = {}, .owner_uid = {}}; },
     ErrorCode::invalid_params, "port web", "/type"},
    {"segment with ports gone", [](Model& m) { m.segments.erase("blue"); }, ErrorCode::in_use, "segment blue", ""},
    {"segment with a trunk gone", [](Model& m) { m.segments.erase("red"); }, ErrorCode::in_use, "segment red", ""},
    {"port with an fdb entry gone", [](Model& m) { m.ports.erase("trunk"); }, ErrorCode::in_use, "port trunk", ""},
    {"port detached from its fdb entry", [](Model& m) { m.ports["trunk"].attachments[0].segment = "blue"; },
     ErrorCode::in_use, "port trunk", ""},
    {"unknown segment", [](Model& m) { put(m, guest("n", "green")); }, ErrorCode::not_found, "port n", "/segment"},
    {"vni taken", [](Model& m) { put(m, segment("green", 1)); }, ErrorCode::invalid_params, "segment green", "/vni"},
    {"path taken",
     [](Model& m) {
         Port port = guest("x", "blue");
         port.device = m.ports["web"].device;
         put(m, port);
     },
     ErrorCode::invalid_params, "port x", "/path"},
    {"worker that is not there", [](Model& m) { m.ports["web"].workers = {0, 2}; }, ErrorCode::invalid_params,
     "port web", "/workers/1"},
    {"a MAC that a static entry holds",
     [](Model& m) { m.ports["trunk"].attachments[0].macs = {MacAddress(0x020000000009), MacAddress(0x020000000001)}; },
     ErrorCode::invalid_params, "port trunk", "/vlans/0/macs/1"},
    {"fdb of an unknown port", [](Model& m) { put(m, StaticMac{"", "red", MacAddress(0x020000000002), "none"}); },
     ErrorCode::not_found, "fdb red/02:00:00:00:00:02", "/port"},
    {"fdb of a port elsewhere", [](Model& m) { put(m, StaticMac{"", "red", MacAddress(0x020000000002), "web"}); },
     ErrorCode::invalid_params, "fdb red/02:00:00:00:00:02", "/port"},
};

TEST(Refusals, NameObjectAndFieldAndChangeNothing) {
    for (const BadChange& bad : kBadChanges) {
        SCOPED_TRACE(bad.what);
        World world;
        ASSERT_TRUE(world.engine.commit(base()));
        world.journal.clear();
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
        EXPECT_TRUE(world.journal.empty());
    }
}

TEST(Refusals, InUseNamesWhoAndWhose) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    Model next = base();
    next.ports.erase("web");
    next.segments.erase("blue");
    EXPECT_EQ(world.engine.commit(next).error().message,
              "segment \"blue\" is in use by port \"shared\" of owner \"cni\"");
}

TEST(Refusals, AnotherGenerationIsAConflict) {
    World world;
    ASSERT_TRUE(world.engine.commit(base()));
    auto changes = world.engine.commit(Model{}, {.expect_generation = 7});
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code, ErrorCode::conflict);
    EXPECT_EQ(changes.error().field, "/expect_generation");
    EXPECT_EQ(changes.error().got, "7");
    EXPECT_EQ(changes.error().allowed, "1");
}

TEST(Owners, AnApplySpeaksForOneOwnerAlone) {
    auto next = replace_owner(base(), "cni", model_of(segment("gray", 3, "cni"), segment("pink", 4, "cni")));
    ASSERT_TRUE(next) << next.error().message;
    const auto changes = diff(base(), *next);
    EXPECT_EQ(changes, (std::vector<Change>{{ChangeOp::add, {ObjectKind::segment, "pink"}},
                                            {ChangeOp::remove, {ObjectKind::port, "shared"}}}));
}

TEST(Owners, SomebodyElsesNameIsTaken) {
    auto next = replace_owner(base(), "cni", model_of(guest("web", "blue", "cni")));
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::exists);
    EXPECT_EQ(next.error().field, "/name");
    EXPECT_EQ(next.error().message, "port \"web\" belongs to owner \"\"");
}

TEST(Owners, AnObjectThatSaysAnotherOwnerIsRefused) {
    auto next = replace_owner(base(), "cni", model_of(segment("pink", 4, "file")));
    ASSERT_FALSE(next);
    EXPECT_EQ(next.error().code, ErrorCode::invalid_params);
    EXPECT_EQ(next.error().field, "/owner");
    EXPECT_EQ(next.error().object_name, "pink");
}

}  // namespace
}  // namespace bulkhead
