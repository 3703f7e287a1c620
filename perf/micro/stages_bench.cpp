// SPDX-License-Identifier: Apache-2.0
// What each stage of the frame's path costs, and the whole of it: batches of 64 unicast frames between random stations
// of a known population (the argument: pairs). The frames are in the cache, the tables as warm as their size allows.
#include <benchmark/benchmark.h>

#include "perf/micro/cycles.h"
#include "perf/micro/workbench.h"
#include "vswitch/pipeline/account.h"
#include "vswitch/pipeline/deliver.h"
#include "vswitch/pipeline/pipeline.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/pipeline/too_big_answers.h"

namespace bulkhead::perf {
namespace {

/// Times `stage` on a batch for which `before`, the stages that come first, was run.
template <typename Before, typename Stage>
void time_stage(benchmark::State& state, Workbench& bench, Before before, Stage stage) {
    Cycles cycles(state);
    for (auto _ : state) {
        bench.receive_unicast();
        before();
        cycles.start();
        stage();
        cycles.stop();
    }
    cycles.report(Batch::kCapacity);
}

std::uint32_t pairs(const benchmark::State& state) {
    return static_cast<std::uint32_t>(state.range(0));
}

void bench_parse(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    time_stage(state, bench, [] {}, [&] { parse(bench.batch); });
}

void bench_assign_segment(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    time_stage(
        state, bench, [&] { parse(bench.batch); }, [&] { assign_segment(bench.batch, *bench.snapshot, buffers()); });
}

void bench_account_received(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    time_stage(
        state, bench,
        [&] {
            parse(bench.batch);
            assign_segment(bench.batch, *bench.snapshot, buffers());
        },
        [&] { account_received(bench.batch, *bench.snapshot, bench.counters); });
}

void bench_find_macs(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    time_stage(
        state, bench,
        [&] {
            parse(bench.batch);
            assign_segment(bench.batch, *bench.snapshot, buffers());
        },
        [&] { find_macs(bench.batch, *bench.macs); });
}

void bench_learn(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    Learner learner(*bench.macs);
    time_stage(
        state, bench,
        [&] {
            parse(bench.batch);
            assign_segment(bench.batch, *bench.snapshot, buffers());
            find_macs(bench.batch, *bench.macs);
        },
        [&] { learn(bench.batch, *bench.snapshot, *bench.macs, learner); });
}

void bench_lookup(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    time_stage(
        state, bench,
        [&] {
            parse(bench.batch);
            assign_segment(bench.batch, *bench.snapshot, buffers());
            find_macs(bench.batch, *bench.macs);
        },
        [&] { lookup(bench.batch, *bench.snapshot); });
}

void bench_deliver(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    TooBigAnswers too_big(*bench.macs, buffers());
    Transmitter transmitter(0, bench.counters, buffers(), bench.next_hops, too_big);
    transmitter.adopt(*bench.snapshot);
    PolicyStage policy(*bench.connections, bench.fragments, *bench.macs, bench.counters);
    time_stage(
        state, bench,
        [&] {
            parse(bench.batch);
            assign_segment(bench.batch, *bench.snapshot, buffers());
            find_macs(bench.batch, *bench.macs);
            lookup(bench.batch, *bench.snapshot);
        },
        [&] {
            replicate(bench.batch, *bench.snapshot, policy, transmitter, bench.counters, buffers());
            transmitter.flush(*bench.snapshot);
        });
}

void bench_pipeline(benchmark::State& state) {
    Workbench bench(2, pairs(state));
    Pipeline pipeline(
        0, {*bench.macs, bench.next_hops, bench.exchange, bench.rings, *bench.connections, bench.fragments, buffers()},
        bench.counters);
    pipeline.adopt(*bench.snapshot);
    time_stage(state, bench, [] {}, [&] { pipeline.run(bench.batch, *bench.snapshot); });
    if (bench.counters.books.transmitted.read() != bench.counters.books.received.read())
        state.SkipWithError("not every frame was forwarded once");
}

BENCHMARK(bench_parse)->Name("parse")->Arg(1024)->UseManualTime();
BENCHMARK(bench_assign_segment)->Name("assign_segment")->Arg(1024)->UseManualTime();
BENCHMARK(bench_account_received)->Name("account_received")->Arg(1024)->UseManualTime();
BENCHMARK(bench_find_macs)->Name("find_macs")->Arg(16)->Arg(10'000)->Arg(500'000)->UseManualTime();
BENCHMARK(bench_learn)->Name("learn")->Arg(1024)->UseManualTime();
BENCHMARK(bench_lookup)->Name("lookup")->Arg(1024)->UseManualTime();
BENCHMARK(bench_deliver)->Name("deliver")->Arg(1024)->UseManualTime();
BENCHMARK(bench_pipeline)
    ->Name("pipeline")
    ->Arg(16)
    ->Arg(1024)
    ->Arg(4096)
    ->Arg(10'000)
    ->Arg(50'000)
    ->Arg(500'000)
    ->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
