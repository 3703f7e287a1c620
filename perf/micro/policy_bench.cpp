// SPDX-License-Identifier: Apache-2.0
// What policy adds to the whole path: batches of 64 UDP frames of random flows (the argument), with so many rules of
// which the last few match, stateless and, all connections open, stateful.
#include <benchmark/benchmark.h>

#include "perf/micro/cycles.h"
#include "perf/micro/workbench.h"
#include "vswitch/packet/ip.h"
#include "vswitch/pipeline/pipeline.h"

namespace bulkhead::perf {
namespace {

/// Rules as a firewall has them: networks, ports and groups of which one combination after the other does not match,
/// and at the end those that do.
void add_rules(Model& model, unsigned rules, bool stateful) {
    model.segments["blue"].default_policy = DefaultPolicy::deny;
    model.groups[{"blue", "web"}] = {.segment = "blue", .name = "web", .id = 1};
    model.groups[{"blue", "db"}] = {.segment = "blue", .name = "db", .id = 2};
    model.ports["port0"].attachments.front().group = "web";
    model.ports["port1"].attachments.front().group = "db";
    for (unsigned number = 0; number < rules; ++number) {
        Policy rule{.segment = "blue", .name = "rule" + std::to_string(number), .order = number};
        rule.protocol = kProtocolUdp;
        rule.from.groups = {"web"};
        rule.from.ips = {{IpAddress::v4(0x0a00'0000), 9}};
        rule.to.ips = {{IpAddress::v4(0x0a80'0000), 9}};
        const bool matches = number + 10 >= rules;
        const auto first = static_cast<std::uint16_t>(matches ? 5000 + 100 * (number + 10 - rules) : 6000 + 7 * number);
        rule.dst_ports = {{first, static_cast<std::uint16_t>(first + (matches ? 99 : 3))}};
        if (!matches) rule.to.ips = {{IpAddress::v4(0x0a80'0000 + (number << 8)), 24}};
        rule.stateful = stateful;
        model.policies[{"blue", rule.name}] = rule;
    }
}

void run(benchmark::State& state, unsigned rules, bool stateful) {
    const auto flows = static_cast<std::uint32_t>(state.range(0));
    Workbench bench(2, flows, [=](Model& model) {
        if (rules > 0) add_rules(model, rules, stateful);
    });
    bench.snapshot->connection_shares.assign(bench.snapshot->ports.size(), 1U << 20);
    Pipeline pipeline(
        0, {*bench.macs, bench.next_hops, bench.exchange, bench.rings, *bench.connections, bench.fragments, buffers()},
        bench.counters);
    pipeline.adopt(*bench.snapshot);
    for (std::uint32_t batch = 0; batch < flows; ++batch) {  // by now nearly all connections are open
        bench.receive_unicast();
        pipeline.run(bench.batch, *bench.snapshot);
    }
    Cycles cycles(state);
    for (auto _ : state) {
        bench.receive_unicast();
        cycles.start();
        pipeline.run(bench.batch, *bench.snapshot);
        cycles.stop();
    }
    cycles.report(Batch::kCapacity);
    state.counters["connections"] = static_cast<double>(bench.connections->size());
    if (bench.counters.books.transmitted.read() != bench.counters.books.received.read())
        state.SkipWithError("not every frame was forwarded once");
}

void bench_none(benchmark::State& state) {
    run(state, 0, false);
}
void bench_stateless(benchmark::State& state) {
    run(state, static_cast<unsigned>(state.range(1)), false);
}
void bench_stateful(benchmark::State& state) {
    run(state, static_cast<unsigned>(state.range(1)), true);
}

BENCHMARK(bench_none)->Name("no policy")->Arg(16)->Arg(1024)->Arg(100'000)->UseManualTime();
BENCHMARK(bench_stateless)
    ->Name("stateless")
    ->Args({16, 100})
    ->Args({1024, 10})
    ->Args({1024, 100})
    ->Args({1024, 1000})
    ->UseManualTime();
BENCHMARK(bench_stateful)
    ->Name("stateful")
    ->Args({16, 10})
    ->Args({1024, 10})
    ->Args({1024, 100})
    ->Args({100'000, 10})
    ->UseManualTime();

}  // namespace
}  // namespace bulkhead::perf
