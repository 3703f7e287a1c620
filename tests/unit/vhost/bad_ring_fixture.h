// SPDX-License-Identifier: Apache-2.0
// Guests that write their rings badly on purpose, and the worker that serves them.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "tests/unit/vhost/vhost_fixture.h"

namespace bulkhead::test {

inline constexpr std::uint16_t kNext = 1, kWrite = 2, kIndirect = 4;  // of a descriptor
inline constexpr std::uint16_t kToGuest = 0, kFromGuest = 1;          // rings
inline constexpr std::uint64_t kOffloads = 0x1f83;                    // CSUM and TSO, both ways
inline constexpr std::uint64_t kIndirectRings = 1ULL << 28;           // VIRTIO_F_INDIRECT_DESC

class VhostBadRingTest : public VhostTest {
  protected:
    /// As a worker does: a few bursts each way, of small and long frames, with and without work for the guest.
    void serve(PortIo& port) {
        for (int round = 0; round < 8; ++round) {
            rte_mbuf* frames[64];
            rte_pktmbuf_free_bulk(frames, port.receive(0, frames, 64));
            rte_mbuf* out[8];
            for (std::size_t at = 0; at < 8; ++at) out[at] = buffer(frame_of(at % 2 == 0 ? 60 : 1500));
            std::uint16_t done = 0;
            while (done < 8) {
                const TransmitResult sent = port.transmit(0, out + done, static_cast<std::uint16_t>(8 - done));
                done = static_cast<std::uint16_t>(done + sent.taken);
                if (done == 8 || sent.reason != DropReason::tx_error) break;
                rte_pktmbuf_free(out[done++]);
            }
            rte_pktmbuf_free_bulk(out + done, 8U - done);
        }
    }
    /// A guest that behaves exchanges a frame each way.
    void expect_life(PortIo& port, FakeGuest& guest) {
        guest.send(frame_of(100));
        rte_mbuf* frame = receive_one(port);
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(bytes_of(frame), frame_of(100));
        ASSERT_EQ(port.transmit(0, &frame, 1).taken, 1);
        EXPECT_TRUE(guest.receive());
        guest.give_buffers(1);
    }
    /// A guest writes its ring so, and a worker serves it; then one that behaves has the port.
    void meet(PortIo& port, const std::function<void(FakeGuest&)>& write, std::uint64_t more_features = 0) {
        {
            FakeGuest guest = FakeGuest::connect_to(path());
            guest.start(kPlainGuest | kOffloads | kIndirectRings | more_features, 1, 0);
            ASSERT_TRUE(events_.wait_for(PortEvent::link_up, ++visits_));
            const Frame frame = frame_of(60);
            std::copy(frame.begin(), frame.end(), guest.buffer(kFromGuest, 0) + sizeof(NetHeader));
            write(guest);
            const auto start = std::chrono::steady_clock::now();
            serve(port);
            EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500)) << "a worker was held";
            rte_mbuf* rest[64];
            for (std::uint16_t left = 64; left == 64;) rte_pktmbuf_free_bulk(rest, left = port.receive(0, rest, 64));
        }
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visits_));
        wait_until_closed(port);
    }

    /// The other port of the same worker, and a guest that behaves.
    class Neighbor {
      public:
        explicit Neighbor(VhostBadRingTest& test)
            : test_(test),
              port_(open_vhost_port(test.port(VhostMode::server, 1, "neighbor.sock"), 1500, test.pool_, 1, test.relay_,
                                    events_.sink())
                        .value()),
              guest_(FakeGuest::connect_to(test.path("neighbor.sock"))) {
            guest_.start(kPlainGuest);
            EXPECT_TRUE(events_.wait_for(PortEvent::link_up));
        }
        void expect_life() { test_.expect_life(*port_, guest_); }

      private:
        VhostBadRingTest& test_;
        Events events_;
        std::unique_ptr<PortIo> port_;
        FakeGuest guest_;
    };

    long visits_ = 0;
};

}  // namespace bulkhead::test
