// SPDX-License-Identifier: Apache-2.0
// The MAC table alone: batches of 64 hits at random among the argument's number of entries, as one call and one by one.
#include <array>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "perf/micro/cycles.h"
#include "vswitch/fdb/mac_table.h"

namespace bulkhead::perf {
namespace {

constexpr std::uint16_t kBatch = 64;

MacKey key_of(std::uint64_t station) {
    return mac_key(1, 0x0200'0000'0000ULL | station);
}

std::unique_ptr<MacTable> table_with(std::uint64_t entries) {
    auto table = MacTable::create(entries);
    table->reserve(entries);
    MacTable::WriteGuard guard(*table);
    for (std::uint64_t station = 0; station < entries; ++station)
        guard.learn(key_of(station), static_cast<AttachmentIndex>(station % 64), UINT32_MAX);
    return table;
}

template <typename Find>
void time_find(benchmark::State& state, Find find) {
    const auto entries = static_cast<std::uint64_t>(state.range(0));
    const auto table = table_with(entries);
    std::mt19937_64 random(1);
    std::array<MacKey, kBatch> keys;
    std::array<MacValue, kBatch> found;
    Cycles cycles(state);
    for (auto _ : state) {
        for (MacKey& key : keys) key = key_of(random() % entries);
        cycles.start();
        find(*table, keys.data(), found.data());
        cycles.stop();
        benchmark::DoNotOptimize(found);
    }
    cycles.report(kBatch);
}

void bench_find_bulk(benchmark::State& state) {
    time_find(state,
              [](const MacTable& table, const MacKey* keys, MacValue* found) { table.find_bulk(keys, found, kBatch); });
}

void bench_find(benchmark::State& state) {
    time_find(state, [](const MacTable& table, const MacKey* keys, MacValue* found) {
        for (std::uint16_t at = 0; at < kBatch; ++at) found[at] = table.find(keys[at]);
    });
}

/// New addresses, until the table holds as many as it was made for.
void bench_learn_new(benchmark::State& state) {
    const auto entries = static_cast<std::uint64_t>(state.range(0));
    std::unique_ptr<MacTable> table;
    std::uint64_t next = entries;
    Cycles cycles(state);
    for (auto _ : state) {
        if (next + kBatch > entries) {
            table.reset();
            table = MacTable::create(entries);
            table->reserve(entries);
            next = 0;
        }
        cycles.start();
        {
            MacTable::WriteGuard guard(*table);
            for (std::uint16_t at = 0; at < kBatch; ++at) guard.learn(key_of(next + at), 1, UINT32_MAX);
        }
        cycles.stop();
        next += kBatch;
    }
    cycles.report(kBatch);
}

constexpr std::int64_t kSizes[] = {16, 10'000, 100'000, 1'000'000};

void sizes(benchmark::internal::Benchmark* benchmark) {
    for (const std::int64_t size : kSizes) benchmark->Arg(size);
    benchmark->UseManualTime();
}

BENCHMARK(bench_find_bulk)->Name("mac_table/find_bulk")->Apply(sizes);
BENCHMARK(bench_find)->Name("mac_table/find")->Apply(sizes);
BENCHMARK(bench_learn_new)->Name("mac_table/learn_new")->Arg(10'000)->Arg(1'000'000)->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
