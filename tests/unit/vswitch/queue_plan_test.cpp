// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/queue_plan.h"

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

TEST(QueuePlan, SpreadsTheQueuesOfOnePort) {
    EXPECT_EQ(plan_queues({{"a", 4, {}}}, 2, {}), (QueuePlan{{"a", {0, 1, 0, 1}}}));
}

TEST(QueuePlan, SpreadsPortsOfOneQueue) {
    EXPECT_EQ(plan_queues({{"a", 1, {}}, {"b", 1, {}}, {"c", 1, {}}}, 2, {}),
              (QueuePlan{{"a", {0}}, {"b", {1}}, {"c", {0}}}));
}

TEST(QueuePlan, ANewPortMovesNoOldQueue) {
    const QueuePlan before = plan_queues({{"b", 1, {}}, {"c", 2, {}}}, 2, {});
    const QueuePlan after = plan_queues({{"a", 2, {}}, {"b", 1, {}}, {"c", 2, {}}}, 2, before);
    EXPECT_EQ(after.at("b"), before.at("b"));
    EXPECT_EQ(after.at("c"), before.at("c"));
}

TEST(QueuePlan, AnOverrideWinsAndIsUsedInTurn) {
    const QueuePlan before{{"a", {0, 0, 0}}};
    EXPECT_EQ(plan_queues({{"a", 3, {1, 2}}}, 3, before), (QueuePlan{{"a", {1, 2, 1}}}));
}

TEST(QueuePlan, AnOverriddenLoadIsSeenByTheOthers) {
    EXPECT_EQ(plan_queues({{"a", 2, {0}}, {"b", 2, {}}}, 2, {}).at("b"), (std::vector<std::uint16_t>{1, 1}));
}

TEST(QueuePlan, IsAFunctionOfItsArgumentsAlone) {
    const std::vector<QueueDemand> demands{{"a", 3, {}}, {"b", 1, {1}}, {"c", 2, {}}};
    EXPECT_EQ(plan_queues(demands, 2, {}), plan_queues(demands, 2, {}));
}

TEST(QueuePlan, OneWorkerTakesAll) {
    EXPECT_EQ(plan_queues({{"a", 2, {}}}, 1, {}), (QueuePlan{{"a", {0, 0}}}));
}

}  // namespace
}  // namespace bulkhead::test
