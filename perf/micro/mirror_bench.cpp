// SPDX-License-Identifier: Apache-2.0
// What mirrors add to the whole path: batches of 64 UDP frames of 60 bytes, with no mirror at all, with one that
// another port has, with one of the segment (each frame is copied), and with one whose observer takes nothing.
#include <cstdlib>

#include <benchmark/benchmark.h>
#include <rte_mbuf.h>

#include "perf/micro/cycles.h"
#include "perf/micro/workbench.h"
#include "vswitch/pipeline/pipeline.h"

namespace bulkhead::perf {
namespace {

rte_mempool* copies() {
    static rte_mempool* pool = rte_pktmbuf_pool_create("copies", 4095, 32, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (pool == nullptr) std::abort();
    return pool;
}

void run(benchmark::State& state, const Mirror* mirror, bool is_stuck = false) {
    Workbench bench(4, 1024, [=](Model& model) {
        if (mirror != nullptr) model.mirrors["m"] = *mirror;
    });
    bench.set_copies(3, copies());
    if (is_stuck) bench.set_refusing(3);
    Pipeline pipeline(0,
                      {*bench.macs, bench.next_hops, bench.exchange, bench.rings, *bench.connections, bench.fragments,
                       buffers(), copies()},
                      bench.counters);
    pipeline.adopt(*bench.snapshot);
    Cycles cycles(state);
    for (auto _ : state) {
        bench.receive_unicast();
        cycles.start();
        pipeline.run(bench.batch, *bench.snapshot);
        cycles.stop();
    }
    cycles.report(Batch::kCapacity);
    if (bench.counters.books.transmitted.read() != bench.counters.books.received.read())
        state.SkipWithError("not every frame was forwarded once");
}

void bench_none(benchmark::State& state) {
    run(state, nullptr);
}
void bench_elsewhere(benchmark::State& state) {
    const Mirror mirror{.name = "m", .port = "port2", .to = "port3"};
    run(state, &mirror);
}
void bench_segment(benchmark::State& state) {
    const Mirror mirror{.name = "m", .segment = "blue", .to = "port3"};
    run(state, &mirror);
}
void bench_stuck(benchmark::State& state) {
    const Mirror mirror{.name = "m", .segment = "blue", .to = "port3"};
    run(state, &mirror, true);
}

BENCHMARK(bench_none)->Name("mirror/none")->UseManualTime();
BENCHMARK(bench_elsewhere)->Name("mirror/elsewhere")->UseManualTime();
BENCHMARK(bench_segment)->Name("mirror/segment")->UseManualTime();
BENCHMARK(bench_stuck)->Name("mirror/stuck")->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
