// SPDX-License-Identifier: Apache-2.0
// A device that nothing wakes reports what it finds changed when it is asked: port_io.h promises that once a second.
#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

TEST(Looks, EachOfAThousandDevicesIsAskedOnceASecond) {
    World world;
    Model model = model_of(segment("blue", 1));
    for (int i = 0; i < 1000; ++i) put(model, guest("p" + std::to_string(i), "blue"));
    ASSERT_TRUE(world.engine.commit(model));
    for (int tick = 0; tick < 10; ++tick) world.pass(std::chrono::milliseconds(100));
    for (const auto& [name, io] : world.target.ports) {
        const std::size_t looks = dynamic_cast<FakePortIo*>(io)->looks;
        EXPECT_TRUE(looks == 1 || looks == 2) << name << ": " << looks;
    }
}

}  // namespace
}  // namespace bulkhead
