// SPDX-License-Identifier: Apache-2.0
// One segment with some ports that swallow frames, a MAC table that knows stations on the first two of them, and a
// batch of 64 frames between stations, to run stages on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "perf/micro/sink_port.h"
#include "vswitch/base/counters.h"
#include "vswitch/fdb/mac_table.h"
#include "vswitch/model/snapshot_builder.h"
#include "vswitch/overlay/next_hops.h"
#include "vswitch/overlay/ring_guard.h"
#include "vswitch/overlay/underlay_exchange.h"
#include "vswitch/packet/batch.h"
#include "vswitch/policy/connection_table.h"
#include "vswitch/policy/fragment_memory.h"
#include "vswitch/policy/policy_compiler.h"

struct rte_mempool;

namespace bulkhead::perf {

[[nodiscard]] rte_mempool* buffers();

class Workbench {
  public:
    static constexpr std::uint64_t kBroadcast = 0xffff'ffff'ffffULL;

    /// `pairs` stations on the first port and as many on the second, each pair with a UDP flow. `configure` may add to
    /// the model.
    Workbench(unsigned ports, std::uint32_t pairs, const std::function<void(Model&)>& configure = {});
    ~Workbench();
    Workbench(const Workbench&) = delete;
    Workbench& operator=(const Workbench&) = delete;

    /// The batch as it was received: frames of 60 bytes from random stations of the first port to their partners.
    void receive_unicast();
    void receive_broadcast();

    /// The port takes copies from this pool.
    void set_copies(unsigned port, rte_mempool* copies) { ports_[port]->copies = copies; }

    /// The port takes nothing.
    void set_refusing(unsigned port) { ports_[port]->refuses = true; }

    Batch batch;
    WorkerCounters counters;
    NextHops next_hops;
    UnderlayExchange exchange{buffers()};
    RingGuard rings{exchange, 1};
    std::unique_ptr<ConnectionTable> connections = ConnectionTable::create(1U << 18);
    FragmentMemory fragments{{1, 2}};
    PolicyCompiler policies;
    PortLimiters limiters;
    MirrorCompiler mirrors;
    std::unique_ptr<MacTable> macs;
    std::unique_ptr<Snapshot> snapshot;

  private:
    [[nodiscard]] std::uint64_t station(std::uint64_t side, std::uint64_t pair) const { return side << 40 | pair; }
    void write(std::uint64_t pair, std::uint16_t row);
    void build(unsigned ports, const std::function<void(Model&)>& configure);
    void learn();

    std::uint32_t pairs_;
    std::mt19937 random_{1};
    std::vector<std::unique_ptr<SinkPort>> ports_;
    std::array<rte_mbuf*, Batch::kCapacity> frames_;
};

}  // namespace bulkhead::perf
