// SPDX-License-Identifier: Apache-2.0
// What a tunnel costs: the whole pipeline for batches of 64 frames that leave through one, and for batches that come
// out of one. Beside "pipeline" the difference is the tunnel's own. The last case has a remote for every frame.
#include <benchmark/benchmark.h>

#include "perf/micro/cycles.h"
#include "perf/micro/tunnel_workbench.h"
#include "vswitch/pipeline/pipeline.h"

namespace bulkhead::perf {
namespace {

template <typename Receive>
void time_pipeline(benchmark::State& state, TunnelWorkbench& bench, Receive receive) {
    Pipeline pipeline(
        0, {*bench.macs, bench.next_hops, bench.exchange, bench.rings, *bench.connections, bench.fragments, buffers()},
        bench.counters);
    pipeline.adopt(*bench.snapshot);
    Cycles cycles(state);
    for (auto _ : state) {
        receive();
        cycles.start();
        pipeline.run(bench.batch, *bench.snapshot);
        cycles.stop();
    }
    cycles.report(Batch::kCapacity);
    if (bench.counters.books.transmitted.read() != bench.counters.books.received.read())
        state.SkipWithError("not every frame was forwarded once");
}

TunnelType type_of(const benchmark::State& state) {
    return state.range(1) == 0 ? TunnelType::vxlan : TunnelType::geneve;
}

void bench_encapsulate(benchmark::State& state) {
    TunnelWorkbench bench(type_of(state), 1, static_cast<std::uint32_t>(state.range(0)));
    time_pipeline(state, bench, [&] { bench.receive_from_pod(); });
}

void bench_decapsulate(benchmark::State& state) {
    TunnelWorkbench bench(type_of(state), 1, static_cast<std::uint32_t>(state.range(0)));
    time_pipeline(state, bench, [&] { bench.receive_from_underlay(); });
}

void bench_encapsulate_to_many(benchmark::State& state) {
    const auto remotes = static_cast<std::uint32_t>(state.range(0));
    TunnelWorkbench bench(TunnelType::vxlan, remotes, 1024);
    time_pipeline(state, bench, [&] { bench.receive_from_pod(); });
}

void bench_decapsulate_from_many(benchmark::State& state) {
    const auto remotes = static_cast<std::uint32_t>(state.range(0));
    TunnelWorkbench bench(TunnelType::vxlan, remotes, 1024);
    time_pipeline(state, bench, [&] { bench.receive_from_underlay(); });
}

void bench_decapsulate_marked(benchmark::State& state) {
    TunnelWorkbench bench(type_of(state), static_cast<std::uint32_t>(state.range(2)),
                          static_cast<std::uint32_t>(state.range(0)));
    time_pipeline(state, bench, [&] { bench.receive_marked(); });
    if (bench.counters.marked.read() != bench.counters.books.received.read())
        state.SkipWithError("not every mark was used");
}

// Arguments: stations on each side; 0 for VXLAN, 1 for Geneve.
BENCHMARK(bench_encapsulate)->Name("encapsulate")->ArgsProduct({{16, 1024, 10'000}, {0, 1}})->UseManualTime();
BENCHMARK(bench_decapsulate)->Name("decapsulate")->ArgsProduct({{16, 1024, 10'000}, {0, 1}})->UseManualTime();
// The same, and remotes.
BENCHMARK(bench_decapsulate_marked)
    ->Name("decapsulate/marked")
    ->ArgsProduct({{16, 1024}, {0, 1}, {1}})
    ->ArgsProduct({{1024}, {0}, {2, 16, 250}})
    ->UseManualTime();
// Argument: remotes.
BENCHMARK(bench_encapsulate_to_many)->Name("encapsulate/remotes")->Arg(2)->Arg(16)->Arg(250)->UseManualTime();
BENCHMARK(bench_decapsulate_from_many)->Name("decapsulate/remotes")->Arg(2)->Arg(16)->Arg(250)->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
