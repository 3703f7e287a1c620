// SPDX-License-Identifier: Apache-2.0
#include "vswitch/fdb/mac_table.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <pthread.h>
#include <random>
#include <sched.h>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

TEST(MacTable, HoldsItsCapacityAndFindsEveryEntry) {
    constexpr std::size_t kEntries = 50'000;
    const auto table = MacTable::create(kEntries);
    table->reserve(kEntries);
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

/// Far beyond half load: keys in second buckets, and some that made others give way.
TEST(MacTable, FillsUpFarBeyondItsCapacity) {
    for (int round = 0; round < 20; ++round) {  // every table has a secret of its own
        const auto table = MacTable::create(512);
        MacTable::WriteGuard guard(*table);
        std::vector<MacKey> learned;
        for (std::uint64_t at = 1; at <= 1500; ++at) {
            const MacKey key = mac_key(1, at);
            const auto outcome = guard.learn(key, static_cast<AttachmentIndex>(at), UINT32_MAX).outcome;
            ASSERT_TRUE(outcome == MacTable::Learned::added || outcome == MacTable::Learned::full);
            if (outcome == MacTable::Learned::added) learned.push_back(key);
        }
        EXPECT_GT(learned.size(), 1024 * 85 / 100);
        EXPECT_EQ(table->size(), learned.size());
        for (const MacKey key : learned) ASSERT_EQ(table->find(key).attachment(), mac_of(key).value());
        for (std::uint64_t at = 1; at <= 1500; ++at) EXPECT_FALSE(table->find(mac_key(2, at)).exists());
        for (std::size_t at = 0; at < learned.size() / 2; ++at) ASSERT_TRUE(guard.erase(learned[at]));
        for (std::size_t at = 0; at < learned.size(); ++at)
            EXPECT_EQ(table->find(learned[at]).exists(), at >= learned.size() / 2);
    }
}

/// Lets the calling thread off the core to which DPDK has bound the one that started it.
void run_anywhere() {
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof all, &all), 0);
}

MacKey station(std::uint64_t number) {
    return mac_key(1, 0x0200'0000'0000 + number);
}

void learn_stations(MacTable& table, std::uint64_t first, std::uint64_t end) {
    MacTable::WriteGuard guard(table);
    for (std::uint64_t at = first; at < end; ++at) {
        const auto outcome = guard.learn(station(at), static_cast<AttachmentIndex>(at % 1000), UINT32_MAX).outcome;
        ASSERT_NE(outcome, MacTable::Learned::full) << "a table that may grow is not full";
    }
}

TEST(MacTable, GrowsAndShrinksWithWhatItHolds) {
    const auto table = MacTable::create(100'000);
    std::uint64_t rounds = 0;
    for (; table->size() < 90'000 && rounds < 10; ++rounds) {  // whoever found no room comes again after fit()
        learn_stations(*table, 0, 90'000);
        table->fit();
    }
    EXPECT_LE(rounds, 4U) << "a table that was too small becomes larger than it has to be";
    for (std::uint64_t at = 0; at < 90'000; ++at) ASSERT_EQ(table->find(station(at)).attachment(), at % 1000);
    EXPECT_EQ(table->erase_if([](MacKey key, MacValue) { return mac_of(key).value() % 100 != 0; }), 89'100U);
    table->fit();
    std::uint64_t seen = 0;
    table->for_each([&](MacKey, MacValue) { ++seen; });
    EXPECT_EQ(seen, 900U);
    for (std::uint64_t at = 0; at < 90'000; ++at)
        ASSERT_EQ(table->find(station(at)).exists(), mac_of(station(at)).value() % 100 == 0);
}

TEST(MacTable, ReservesRoomForWhatIsToCome) {
    const auto table = MacTable::create(100'000);
    table->reserve(90'000);
    learn_stations(*table, 0, 90'000);
    EXPECT_EQ(table->size(), 90'000U);
    const auto small = MacTable::create(1000);
    small->reserve(1'000'000);  // as far as it can
    learn_stations(*small, 0, 1000);
    EXPECT_EQ(small->size(), 1000U);
}

/// A reader that uses the table while it grows and shrinks finds every entry all the time.
TEST(MacTable, ReadersMissNothingWhileItChangesItsSize) {
    const auto table = MacTable::create(50'000);
    learn_stations(*table, 0, 200);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> rounds{0};
    table->set_wait_for_readers([&] {
        for (const std::uint64_t round = rounds; rounds < round + 2 && !stop;) std::this_thread::yield();
    });
    std::thread reader([&] {
        while (!stop) {
            for (std::uint64_t at = 0; at < 200; ++at)
                if (table->find(station(at)).attachment() != at) stop = true;
            ++rounds;
        }
    });
    for (int turn = 0; turn < 20 && !stop; ++turn) {
        for (std::uint64_t at = 200; at < 40'000; at *= 2) {
            learn_stations(*table, at, at * 2);
            table->fit();
        }
        table->erase_if([](MacKey key, MacValue) { return key >= station(200); });
        table->fit();
    }
    EXPECT_FALSE(stop.exchange(true)) << "a station was not found";
    reader.join();
}

TEST(MacSearch, IsTheSameForEveryCpu) {
    constexpr std::size_t kBuckets = 1 << 6;
    std::vector<MacBucket> memory(kBuckets);  // full enough for many second buckets
    const MacBuckets table{memory.data(), 6, 0x9e37'79b9'7f4a'7c15};
    std::vector<MacKey> keys;
    std::map<MacKey, std::uint64_t> values;
    for (std::uint64_t at = 0; at < 400; ++at) {
        keys.push_back(station(at));
        if (at % 3 == 0) continue;
        for (MacBucket* bucket : table.candidates(table.hash(keys[at]))) {
            const auto free = std::ranges::find(bucket->keys, 0U, [](const auto& key) { return key.load(); });
            if (free == bucket->keys.end()) continue;
            *free = keys[at];
            bucket->values[static_cast<std::size_t>(free - bucket->keys.begin())] = values[keys[at]] = at << 48;
            break;
        }
    }
    ASSERT_GT(values.size(), 200U);
    for (MacSearch* search : mac_searches()) {
        for (const std::size_t count : {0UL, 1UL, 3UL, 128UL, 129UL, 400UL}) {
            std::vector<MacValue> found(400);
            search(table, keys.data(), found.data(), count);
            for (std::size_t at = 0; at < count; ++at) {
                const auto expected = values.find(keys[at]);
                ASSERT_EQ(found[at].exists(), expected != values.end()) << at << " of " << count;
                if (found[at].exists()) {
                    ASSERT_EQ(found[at].word(), expected->second);
                }
            }
        }
    }
}

/// Populations as vendors and operators number them fill the buckets about as evenly as chance does.
TEST(MacSearch, SpreadsWhatIsNumberedInOrder) {
    constexpr std::size_t kBuckets = 1 << 13, kKeys = 2 * kBuckets;
    std::vector<MacBucket> buckets(kBuckets);
    std::mt19937_64 random(11);
    const auto overflow = [](const std::vector<unsigned>& used) {
        std::size_t keys = 0;
        for (const unsigned in_bucket : used) keys += in_bucket > kMacSlots ? in_bucket - kMacSlots : 0;
        return static_cast<double>(keys) / kKeys;  // 3.7 % by chance
    };
    const std::pair<const char*, MacKey (*)(std::uint64_t)> populations[] = {
        {"one after the other", station},
        {"every 256th", [](std::uint64_t at) { return station(at << 8); }},
        {"by the vendor's octets", [](std::uint64_t at) { return mac_key(1, at << 24); }},
        {"one in every segment",
         [](std::uint64_t at) { return mac_key(static_cast<SegmentIndex>(1 + at), 0x5e00'0001); }},
        {"sixteen in every segment",
         [](std::uint64_t at) { return mac_key(static_cast<SegmentIndex>(1 + at / 16), 0x0200'0000'0000 + at % 16); }},
    };
    for (int secrets = 0; secrets < 50; ++secrets) {
        const std::uint64_t secret = random() | 1;
        const MacBuckets table{buckets.data(), 13, secret};
        for (const auto& [name, key_of] : populations) {
            std::vector<unsigned> first(kBuckets), second(kBuckets);
            for (std::uint64_t at = 0; at < kKeys; ++at) {
                const std::uint64_t hash = table.hash(key_of(at));
                ++first[static_cast<std::size_t>(&table.first(hash) - buckets.data())];
                ++second[static_cast<std::size_t>(&table.second(hash) - buckets.data())];
            }
            EXPECT_LT(overflow(first), 0.08) << name << ", secret " << secret;
            EXPECT_LT(overflow(second), 0.08) << name << ", secret " << secret;
        }
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

/// Readers see an entry's own value or nothing, never another key's, while a writer gives the last free slots to one
/// key after the other: what a reader looks at twice was often another key's in between.
TEST(MacTable, ReadersNeverSeeAnotherKeysValue) {
    const auto table = MacTable::create(8);
    std::atomic<bool> stop{false};
    constexpr std::uint64_t kKeys = 6, kStayers = 13;  // of 16 slots
    {
        MacTable::WriteGuard guard(*table);
        for (std::uint64_t at = 0; table->size() < kStayers; ++at) guard.place(mac_key(2, at), kMaxAttachments - 1);
    }
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 2; ++reader) {
        readers.emplace_back([&] {
            run_anywhere();
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
    for (int step = 0; step < 200'000; ++step) {
        table->set_now(static_cast<std::uint32_t>(step / 100));
        MacTable::WriteGuard guard(*table);
        const std::uint64_t goes = random() % kKeys, comes = random() % kKeys;
        guard.erase(mac_key(1, goes));
        guard.learn(mac_key(1, comes), static_cast<AttachmentIndex>(comes), UINT32_MAX);
    }
    stop = true;
    for (auto& reader : readers) reader.join();
}

}  // namespace
}  // namespace bulkhead::test
