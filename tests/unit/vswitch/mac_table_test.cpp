// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_table.h"

#include <atomic>
#include <random>
#include <thread>
#include <unordered_map>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

TEST(MacTable, HoldsItsCapacityAndFindsEveryEntry) {
    constexpr std::size_t kEntries = 50'000;
    const auto table = MacTable::create(kEntries);
    MacTable::WriteGuard guard(*table);
    for (std::uint64_t at = 0; at < kEntries; ++at) {
        const auto segment = static_cast<SegmentIndex>(1 + at % 7);
        ASSERT_EQ(
            guard.learn(mac_key(segment, 0x0200'0000'0000 + at), static_cast<AttachmentIndex>(at % 1000), UINT32_MAX)
                .outcome,
            MacTable::Learned::added);
    }
    EXPECT_EQ(table->size(), kEntries);
    for (std::uint64_t at = 0; at < kEntries; ++at) {
        const auto segment = static_cast<SegmentIndex>(1 + at % 7);
        ASSERT_EQ(table->find(mac_key(segment, 0x0200'0000'0000 + at)).attachment(), at % 1000);
        ASSERT_FALSE(table->find(mac_key(9, 0x0200'0000'0000 + at)).exists());
    }
}

TEST(MacTable, BehavesAsAMapUnderRandomOperations) {
    const auto table = MacTable::create(1024);
    std::unordered_map<MacKey, AttachmentIndex> model;
    std::mt19937_64 random(7);
    MacTable::WriteGuard guard(*table);
    for (int step = 0; step < 200'000; ++step) {
        const MacKey key = mac_key(static_cast<SegmentIndex>(1 + random() % 3), 1 + random() % 300);
        const auto attachment = static_cast<AttachmentIndex>(random() % 50);
        if (random() % 3 == 0) {
            ASSERT_EQ(guard.erase(key), model.erase(key) == 1);
        } else {
            const auto result = guard.learn(key, attachment, UINT32_MAX);
            const auto known = model.find(key);
            auto expected = MacTable::Learned::added;
            if (known != model.end())
                expected = known->second == attachment ? MacTable::Learned::unchanged : MacTable::Learned::moved;
            ASSERT_EQ(result.outcome, expected);
            model[key] = attachment;
        }
        ASSERT_EQ(table->size(), model.size());
    }
    for (const auto& [key, attachment] : model) EXPECT_EQ(table->find(key).attachment(), attachment);
}

/// So full that keys stand in the neighbours of their buckets.
TEST(MacTable, FindsWhatSpilledOver) {
    for (int round = 0; round < 20; ++round) {  // every table has a secret of its own
        const auto table = MacTable::create(8);
        MacTable::WriteGuard guard(*table);
        std::vector<MacKey> learned;
        for (std::uint64_t at = 1; at <= 200; ++at)
            if (guard.learn(mac_key(1, at), static_cast<AttachmentIndex>(at), UINT32_MAX).outcome ==
                MacTable::Learned::added)
                learned.push_back(mac_key(1, at));
        EXPECT_EQ(learned.size(), 16U) << "two hundred keys leave no slot empty";
        EXPECT_EQ(table->size(), learned.size());
        for (const MacKey key : learned) ASSERT_EQ(table->find(key).attachment(), mac_of(key).value());
        for (std::uint64_t at = 1; at <= 200; ++at) EXPECT_FALSE(table->find(mac_key(2, at)).exists());
        // Entries stay where they are when those before them go.
        for (std::size_t at = 0; at < learned.size() / 2; ++at) ASSERT_TRUE(guard.erase(learned[at]));
        for (std::size_t at = 0; at < learned.size(); ++at)
            EXPECT_EQ(table->find(learned[at]).exists(), at >= learned.size() / 2);
    }
}

TEST(MacTable, CountsPerSegmentAndAttachment) {
    const auto table = MacTable::create(64);
    MacTable::WriteGuard guard(*table);
    guard.learn(mac_key(1, 10), 5, 10);
    guard.learn(mac_key(1, 11), 5, 10);
    guard.learn(mac_key(1, 11), 6, 10);
    guard.place(mac_key(1, 12), 5);
    EXPECT_EQ(table->learned_in(1), 2U);
    EXPECT_EQ(table->entries_of(5), 2U);
    EXPECT_EQ(table->entries_of(6), 1U);
    guard.place(mac_key(1, 10), 6);
    EXPECT_EQ(table->learned_in(1), 1U) << "a static entry does not count against the limit";
    guard.erase(mac_key(1, 10));
    EXPECT_EQ(table->entries_of(6), 1U);
}

TEST(MacTable, TouchWritesOnlyForTheSameOwner) {
    const auto table = MacTable::create(64);
    const MacKey key = mac_key(1, 10);
    table->set_now(5);
    {
        MacTable::WriteGuard(*table).learn(key, 1, 10);
    }
    const MacValue before = table->find(key);
    {
        MacTable::WriteGuard(*table).learn(key, 2, 10);
    }
    table->set_now(9);
    table->touch(key, before);
    EXPECT_EQ(table->find(key).seen_s(), 5U) << "it moved in between";
    EXPECT_EQ(table->find(key).attachment(), 2);
    table->touch(key, table->find(key));
    EXPECT_EQ(table->find(key).seen_s(), 9U);
}

/// Readers see an entry's own value or nothing, never another key's, while a writer churns one bucket's worth of slots.
TEST(MacTable, ReadersNeverSeeAnotherKeysValue) {
    const auto table = MacTable::create(8);
    std::atomic<bool> stop{false};
    constexpr std::uint64_t kKeys = 24;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 2; ++reader) {
        readers.emplace_back([&] {
            while (!stop.load()) {
                for (std::uint64_t at = 0; at < kKeys; ++at) {
                    const MacValue value = table->find(mac_key(1, at));
                    if (!value.exists()) continue;
                    EXPECT_EQ(value.attachment(), at);
                    table->touch(mac_key(1, at), value);
                }
            }
        });
    }
    std::mt19937 random(3);
    for (int step = 0; step < 100'000; ++step) {
        const std::uint64_t at = random() % kKeys;
        table->set_now(static_cast<std::uint32_t>(step / 100));
        MacTable::WriteGuard guard(*table);
        if (random() % 2 == 0)
            guard.learn(mac_key(1, at), static_cast<AttachmentIndex>(at), UINT32_MAX);
        else
            guard.erase(mac_key(1, at));
    }
    stop = true;
    for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace bulkhead::test
