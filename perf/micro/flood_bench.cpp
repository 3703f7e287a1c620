// SPDX-License-Identifier: Apache-2.0
// Broadcast to many: 64 frames to each of the argument's number of ports, in cycles per copy that leaves.
#include <benchmark/benchmark.h>

#include "perf/micro/cycles.h"
#include "perf/micro/workbench.h"
#include "vswitch/pipeline/deliver.h"
#include "vswitch/pipeline/stages.h"
#include "vswitch/pipeline/too_big_answers.h"

namespace bulkhead::perf {
namespace {

void bench_flood(benchmark::State& state) {
    const auto targets = static_cast<unsigned>(state.range(0));
    Workbench bench(targets + 1, 1024);
    TooBigAnswers too_big(*bench.macs, buffers());
    Transmitter transmitter(0, bench.counters, buffers(), bench.next_hops, too_big);
    transmitter.adopt(*bench.snapshot);
    PolicyStage policy(*bench.connections, bench.fragments, *bench.macs, bench.counters);
    Cycles cycles(state);
    for (auto _ : state) {
        bench.receive_broadcast();
        parse(bench.batch);
        assign_segment(bench.batch, *bench.snapshot, buffers());
        find_macs(bench.batch, *bench.macs);
        lookup(bench.batch, *bench.snapshot);
        cycles.start();
        replicate(bench.batch, *bench.snapshot, policy, transmitter, bench.counters, buffers());
        transmitter.flush(*bench.snapshot);
        cycles.stop();
    }
    cycles.report(std::uint64_t{Batch::kCapacity} * targets);
    if (bench.counters.books.copies.read() !=
        static_cast<std::uint64_t>(state.iterations()) * Batch::kCapacity * (targets - 1))
        state.SkipWithError("not every port got its copy");
}

BENCHMARK(bench_flood)->Name("flood")->Arg(8)->Arg(64)->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
