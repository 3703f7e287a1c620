// SPDX-License-Identifier: Apache-2.0
// What a guest is offered changes under an open device.
#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;
using std::chrono::seconds;

constexpr GuestOffloads kChecksums{.checksum = true, .tso4 = false, .tso6 = false};

Model with(GuestOffloads offloads) {
    Model model = model_of(segment("blue", 1), guest("vm", "blue"), guest("other", "blue"));
    std::get<VhostUserDevice>(model.ports.at("vm").device).offloads = offloads;
    return model;
}

class OffloadsTest : public ::testing::Test {
  protected:
    OffloadsTest() {
        EXPECT_TRUE(world.engine.commit(with({})));
        world.journal.clear();
    }
    World world;
};

TEST_F(OffloadsTest, AreToldToTheOpenDevice) {
    ASSERT_TRUE(world.engine.commit(with(kChecksums)));
    EXPECT_EQ(world.journal, Journal{"offloads vm csum"});
    ASSERT_TRUE(world.engine.commit(with(kChecksums)));
    EXPECT_EQ(world.journal.size(), 1U);
    ASSERT_TRUE(world.engine.commit(with({})));
    EXPECT_EQ(world.journal.back(), "offloads vm csum tso4 tso6");
}

TEST_F(OffloadsTest, StayWhereTheChangeFails) {
    world.target.fail_next = 1;
    EXPECT_FALSE(world.engine.commit(with(kChecksums)));
    EXPECT_EQ(world.journal, Journal{});
}

TEST_F(OffloadsTest, ComeBackWithARollBack) {
    ASSERT_TRUE(world.engine.commit(with(kChecksums), {.confirm_within = seconds(5)}));
    world.pass(seconds(6));
    EXPECT_EQ(world.journal, (Journal{"offloads vm csum", "offloads vm csum tso4 tso6"}));
}

}  // namespace
}  // namespace bulkhead
