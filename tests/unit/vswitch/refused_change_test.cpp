// SPDX-License-Identifier: Apache-2.0
// A change that finds no room leaves the switch as it was: static entries, indices, learned addresses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/frames.h"
#include "tests/unit/support/memory_port.h"
#include "vswitch/switch.h"

namespace bulkhead::test {
namespace {

/// Two buckets of eight: the smallest table there is.
constexpr std::size_t kTinyTable = 8;
constexpr std::size_t kEntries = 16;

MacAddress station(std::uint64_t number) {
    return MacAddress(0x0200'0000'0000 | number);
}

class RefusedChange : public ::testing::Test {
  protected:
    RefusedChange() {
        model_.segments["blue"] = {.name = "blue", .vni = 1};
        Port& port = model_.ports["web"] = {.name = "web"};
        port.attachments.push_back({.segment = "blue", .macs = {station(1), station(2)}});
        EXPECT_TRUE(switch_->apply(model_, open_).has_value());
    }

    /// The model with more static entries than the table has room for.
    Model too_many(const std::string& port) const {
        Model model = model_;
        Port& added = model.ports[port] = {.name = port};
        added.attachments.push_back({.segment = "blue"});
        model.ports["web"].attachments[0].macs = {station(2)};
        for (std::uint64_t number = 100; number <= 100 + kEntries; ++number)
            added.attachments[0].macs.push_back(station(number));
        return model;
    }

    std::vector<std::string> entries() const {
        std::vector<std::string> all;
        for (const MacEntry& entry : switch_->macs({}))
            all.push_back(entry.mac.to_string() + " " + entry.port + (entry.is_static ? " static" : ""));
        return all;
    }

    SwitchSettings settings_{.buffers = test_buffers(), .mac_capacity = kTinyTable};
    std::unique_ptr<Switch> switch_ = Switch::create(settings_).value();
    MemoryPort web_{test_buffers()};
    std::map<std::string, PortIo*> open_{{"web", &web_}};
    Model model_;
};

TEST_F(RefusedChange, LeavesStaticEntriesAsTheyWere) {
    const auto before = entries();
    const auto refused = switch_->apply(too_many("db"), open_);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::limit);
    EXPECT_EQ(entries(), before);
    EXPECT_EQ(switch_->mac_count("blue"), before.size());
    ASSERT_TRUE(switch_->apply(model_, open_).has_value());
    EXPECT_EQ(entries(), before);
}

TEST_F(RefusedChange, LeavesALearnedEntryLearned) {
    web_.inject(frame(0xff, 100));
    switch_->run_worker_once(0);
    const auto before = entries();
    ASSERT_THAT(before, ::testing::Contains(station(100).to_string() + " web"));
    ASSERT_FALSE(switch_->apply(too_many("db"), open_).has_value());
    EXPECT_EQ(entries(), before);
}

TEST_F(RefusedChange, GivesBackItsIndices) {
    for (int change = 0; change < kMaxPorts + 10; ++change)
        ASSERT_EQ(switch_->apply(too_many("db" + std::to_string(change)), open_).error().field, "/macs");
    model_.ports["db"] = {.name = "db"};
    EXPECT_TRUE(switch_->apply(model_, open_).has_value());
}

TEST_F(RefusedChange, IsNotDueToLearnedEntries) {
    for (unsigned number = 100; number < 200; ++number) web_.inject(frame(0xff, number));
    for (int round = 0; round < 4; ++round) switch_->run_worker_once(0);
    ASSERT_EQ(switch_->mac_count(), kEntries) << "the table is full";
    model_.ports["web"].attachments[0].macs.push_back(station(3));
    ASSERT_TRUE(switch_->apply(model_, open_).has_value());
    EXPECT_THAT(entries(), ::testing::Contains(station(3).to_string() + " web static"));
    EXPECT_EQ(switch_->mac_count(), kEntries);
}

}  // namespace
}  // namespace bulkhead::test
