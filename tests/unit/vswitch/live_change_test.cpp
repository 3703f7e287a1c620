// SPDX-License-Identifier: Apache-2.0
// Workers poll in threads of their own while control adds and removes ports: meant above all for ThreadSanitizer.
#include <atomic>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

/// Makes a frame whenever it is asked, and counts what it gets back: its books are its own.
class EndlessPort : public PortIo {
  public:
    EndlessPort(unsigned station, unsigned peer, std::uint64_t limit) : bytes_(frame(peer, station)), left_(limit) {
        offloads_ = kOffloadMultiSegment;
    }

    std::uint16_t receive(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept override {
        count = static_cast<std::uint16_t>(std::min<std::uint64_t>({count, 8, left_.load()}));
        for (std::uint16_t at = 0; at < count; ++at) {
            frames[at] = rte_pktmbuf_alloc(test_buffers());
            if (frames[at] == nullptr) return at;
            std::memcpy(rte_pktmbuf_append(frames[at], static_cast<std::uint16_t>(bytes_.size())), bytes_.data(),
                        bytes_.size());
            --left_;
        }
        return count;
    }
    TransmitResult transmit(std::uint16_t, rte_mbuf** frames, std::uint16_t count) noexcept override {
        rte_pktmbuf_free_bulk(frames, count);
        received_ += count;
        return {count, DropReason::none};
    }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return 1; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return 1; }
    [[nodiscard]] PortState state() const override { return {}; }

    Bytes bytes_;
    std::atomic<std::uint64_t> left_;
    std::atomic<std::uint64_t> received_{0};
};

#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kFrames = 20'000;
#else
constexpr std::uint64_t kFrames = 200'000;
#endif

TEST(LiveChange, OtherPortsLoseNoFrame) {
    SwitchSettings settings{
        .workers = 2, .buffers = test_buffers(), .mac_capacity = 1U << 12, .idle = IdleMode::adaptive};
    auto vswitch = Switch::create(settings).value();
    Model model;
    model.segments["blue"] = {.name = "blue", .vni = 1};
    const auto add = [&model](const std::string& name) {
        model.ports[name] = {.name = name};
        model.ports[name].attachments.push_back({.segment = "blue"});
    };
    EndlessPort first(1, 2, kFrames), second(2, 1, kFrames);
    add("first");
    add("second");
    model.ports["first"].attachments[0].macs = {*MacAddress::parse("02:00:00:00:00:01")};
    model.ports["second"].attachments[0].macs = {*MacAddress::parse("02:00:00:00:00:02")};
    std::map<std::string, PortIo*> open{{"first", &first}, {"second", &second}};
    ASSERT_TRUE(vswitch->apply(model, open).has_value());
    std::thread one([&] { vswitch->run_worker(0); }), other([&] { vswitch->run_worker(1); });

    for (int change = 0; change < 200; ++change) {
        const auto guest = std::make_unique<MemoryPort>(test_buffers());
        const std::string name = "guest" + std::to_string(change);
        guest->inject(frame(0xff, 100));
        add(name);
        open[name] = guest.get();
        // Now and then queues change their worker, too.
        if (change % 10 == 0) model.ports["first"].workers = {static_cast<std::uint16_t>(change / 10 % 2)};
        ASSERT_TRUE(vswitch->apply(model, open).has_value());
        model.ports.erase(name);
        open.erase(name);
        ASSERT_TRUE(vswitch->apply(model, open).has_value());
    }
    while (first.left_ > 0 || second.left_ > 0) std::this_thread::yield();
    vswitch->stop();
    one.join();
    other.join();
    EXPECT_GE(first.received_.load(), kFrames);
    EXPECT_GE(second.received_.load(), kFrames);
    std::uint64_t received = 0, sent = 0;
    for (std::uint16_t worker = 0; worker < 2; ++worker) {
        received += vswitch->worker_stats(worker).received + vswitch->worker_stats(worker).copies;
        sent += vswitch->worker_stats(worker).transmitted;
        for (const std::uint64_t dropped : vswitch->worker_stats(worker).drops) sent += dropped;
    }
    EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace bulkhead::test
