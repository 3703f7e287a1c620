// SPDX-License-Identifier: Apache-2.0
#include "vswitch/port_turns.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

constexpr std::uint16_t kBurst = 64;

/// What a port offers, in a time in which the worker can do 1,000,000 units of work.
struct Demand {
    std::uint64_t cost = 1;  ///< of a frame: what it takes of the worker's time
    double offered = 0;      ///< units of work a unit of time: 1.0 is a whole worker
    std::uint16_t queues = 1;
    std::uint16_t busy = 1;  ///< queues that have the frames, the last ones
};

/// Max-min fair shares of one worker's time.
std::vector<double> fair_shares(const std::vector<Demand>& demands) {
    std::vector<double> shares(demands.size(), 0);
    std::vector<std::size_t> order(demands.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t at) { return demands[at].offered; });
    double left = 1;
    for (std::size_t done = 0; done < order.size(); ++done) {
        shares[order[done]] = std::min(demands[order[done]].offered, left / static_cast<double>(order.size() - done));
        left -= shares[order[done]];
    }
    return shares;
}

/// Ports whose frames arrive as time passes, which is when the worker works.
class Overload {
  public:
    explicit Overload(const std::vector<Demand>& demands) : demands_(demands), used_(demands.size(), 0) {
        std::vector<ReceiveQueue> queues;
        for (std::size_t port = 0; port < demands.size(); ++port)
            for (std::uint16_t queue = 0; queue < demands[port].queues; ++queue)
                queues.push_back({static_cast<PortIndex>(port), queue});
        turns_.adopt(queues);
    }

    /// The share of the worker's time that each port had.
    std::vector<double> shares() {
        constexpr std::uint64_t kTime = 20'000'000;
        while (now_ < kTime) {
            turns_.round(
                kBurst, [this](const ReceiveQueue& queue, std::uint16_t most) { return serve(queue, most); },
                [this] { return now_; });
            now_ += kLook;
        }
        std::vector<double> shares;
        for (const std::uint64_t used : used_) shares.push_back(static_cast<double>(used) / static_cast<double>(now_));
        return shares;
    }

  private:
    static constexpr std::uint64_t kLook = 1;

    std::uint16_t serve(const ReceiveQueue& queue, std::uint16_t most) {
        const Demand& demand = demands_[queue.port];
        if (queue.queue < demand.queues - demand.busy) return 0;
        const auto arrived = static_cast<std::uint64_t>(demand.offered * static_cast<double>(now_));
        const std::uint64_t unserved = (arrived - std::min(arrived, used_[queue.port])) / demand.cost;
        const auto frames = static_cast<std::uint16_t>(std::min<std::uint64_t>(most, unserved));
        used_[queue.port] += frames * demand.cost;
        now_ += frames * demand.cost;
        return frames;
    }

    std::vector<Demand> demands_;
    std::vector<std::uint64_t> used_;  ///< the worker's time
    std::uint64_t now_ = 1;
    PortTurns turns_{64};
};

void expect_fair(const std::vector<Demand>& demands) {
    const std::vector<double> fair = fair_shares(demands), shares = Overload(demands).shares();
    for (std::size_t port = 0; port < demands.size(); ++port)
        EXPECT_GE(shares[port], 0.9 * fair[port]) << "port " << port << " of " << demands.size();
    EXPECT_GT(std::reduce(shares.begin(), shares.end()), 0.95) << "the worker rested while frames waited";
}

TEST(PortTurns, OneThatSendsTenTimesItsShareTakesNothingFromOthers) {
    expect_fair({{.offered = 2.5}, {.offered = 0.25}, {.offered = 0.25}, {.offered = 0.25}});
}

TEST(PortTurns, WhatOneDoesNotUseIsTheOthers) {
    expect_fair({{.offered = 10}, {.offered = 0.05}, {.offered = 2}, {.offered = 0.1}});
    expect_fair({{.offered = 10}, {.offered = 0.05}});
}

TEST(PortTurns, APortWithManyQueuesHasNoMoreTurns) {
    expect_fair({{.offered = 10, .queues = 8, .busy = 8}, {.offered = 0.5}});
    expect_fair({{.offered = 10, .queues = 8, .busy = 8}, {.offered = 0.25}, {.offered = 0.25}, {.offered = 0.25}});
}

TEST(PortTurns, NorFewerBecauseMostOfItsQueuesAreEmpty) {
    expect_fair({{.offered = 10}, {.offered = 0.5, .queues = 8, .busy = 1}});
}

TEST(PortTurns, LargeFramesCostTheirSender) {
    expect_fair({{.cost = 50, .offered = 10}, {.cost = 1, .offered = 0.5}});
    expect_fair({{.cost = 50, .offered = 10, .queues = 8, .busy = 8},
                 {.cost = 1, .offered = 0.3},
                 {.cost = 2, .offered = 0.3}});
    expect_fair({{.cost = 1, .offered = 10}, {.cost = 50, .offered = 0.5}});
}

TEST(PortTurns, EveryQueueOfAPortIsServed) {
    PortTurns turns(64);
    turns.adopt({{0, 0}, {0, 1}, {0, 2}});
    std::map<std::uint16_t, int> served;
    for (int round = 0; round < 30; ++round)
        turns.round(
            kBurst, [&](const ReceiveQueue& queue, std::uint16_t most) { return ++served[queue.queue], most; },
            [] { return std::uint64_t{0}; });
    EXPECT_EQ(served, (std::map<std::uint16_t, int>{{0, 10}, {1, 10}, {2, 10}}));
}

TEST(PortTurns, EmptyMeansThatEveryQueueIs) {
    PortTurns turns(1);
    turns.adopt({{0, 0}, {1, 0}});
    std::uint64_t now = 0;
    int left = 3;
    const auto serve = [&](const ReceiveQueue& queue, std::uint16_t) -> std::uint16_t {
        if (queue.port != 0 || left == 0) return 0;
        now += 1'000'000;
        --left;
        return 1;
    };
    for (int round = 0; round < 3; ++round) EXPECT_EQ(turns.round(kBurst, serve, [&] { return now; }), 1U);
    EXPECT_EQ(turns.round(kBurst, serve, [&] { return now; }), 0U);
}

}  // namespace
}  // namespace bulkhead::test
