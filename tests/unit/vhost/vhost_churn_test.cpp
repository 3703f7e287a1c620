// SPDX-License-Identifier: Apache-2.0
// Guests that come and go under polling workers, and many ports at once.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <sys/resource.h>
#include <thread>

#include "tests/unit/vhost/vhost_fixture.h"

namespace bulkhead::test {
namespace {

class VhostChurnTest : public VhostTest {};

/// Polls as a worker does, until the object goes: whatever it receives it sends back.
class Reflector {
  public:
    Reflector(PortIo& port, std::uint16_t queue) : thread_([this, &port, queue] { run(port, queue); }) {}
    ~Reflector() {
        stop_ = true;
        thread_.join();
    }

  private:
    void run(PortIo& port, std::uint16_t queue) {
        rte_mbuf* frames[32];
        for (unsigned turn = 0; !stop_; ++turn) {
            const std::uint16_t count = port.receive(queue, frames, 32);
            const std::uint16_t taken = count == 0 ? 0 : port.transmit(queue, frames, count).taken;
            rte_pktmbuf_free_bulk(frames + taken, count - taken);
            if (turn % 16 == 0) {
                port.arm(queue);
                port.disarm(queue);
            }
        }
    }
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

TEST_F(VhostChurnTest, guests_may_leave_at_any_moment) {
    auto port = open(VhostTest::port(VhostMode::server, 2), 2);
    {
        const Reflector first(*port, 0);
        const Reflector second(*port, 1);
        for (long visit = 1; visit <= 60; ++visit) {
            FakeGuest guest = FakeGuest::connect_to(path());
            guest.start(kPlainGuest | 1ULL << 22, 2);
            ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit));
            unsigned echoed = 0;
            for (unsigned sent = 0; sent < 40; ++sent) {
                guest.send(frame_of(60), {}, sent % 2);
                if (sent % 8 == 0) guest.enable_ring(sent % 4, sent % 16 == 0);
                if (guest.receive(sent % 2)) ++echoed;
            }
            if (visit % 3 == 0) guest.stop();
            {
                FakeGuest leaving = std::move(guest);
            }
            ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit));
            wait_until_closed(*port);
            EXPECT_LE(echoed, 40U);
        }
    }
    port.reset();
}

TEST_F(VhostChurnTest, a_thousand_waiting_ports_open_within_a_second) {
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    if (descriptors.rlim_cur < 4096)
        GTEST_SKIP() << "needs 4096 descriptors, RLIMIT_NOFILE allows " << descriptors.rlim_max;

    std::vector<std::unique_ptr<PortIo>> ports;
    const auto elapsed_ms = [start = std::chrono::steady_clock::now()] {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
    };
    for (unsigned at = 0; at < 1000; ++at) {
        Port waiting = port(VhostMode::client);
        std::get<VhostUserDevice>(waiting.device).path = path(std::to_string(at).c_str());
        ports.push_back(open(waiting));
        ASSERT_NE(ports.back(), nullptr) << at;
    }
    const auto opened_ms = elapsed_ms();
    ports.clear();
    const auto closed_ms = elapsed_ms() - opened_ms;
    std::printf("opened in %ld ms, closed in %ld ms\n", static_cast<long>(opened_ms), static_cast<long>(closed_ms));
    EXPECT_LT(opened_ms, 1000);
}

}  // namespace
}  // namespace bulkhead::test
