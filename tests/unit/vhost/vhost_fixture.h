// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/vhost/fake_guest.h"
#include "vhost/vhost_port.h"

namespace bulkhead::test {

inline constexpr std::uint64_t kVersion1 = 1ULL << 32;
inline constexpr std::uint64_t kMergeable = 1ULL << 15;
inline constexpr std::uint64_t kPlainGuest = kVersion1 | kMergeable;

/// What a port reported, so that tests wait for an event and not for time.
class Events {
  public:
    PortEventSink sink() {
        return [this](PortEvent event) {
            const std::lock_guard lock(mutex_);
            seen_.push_back(event);
            changed_.notify_all();
        };
    }
    /// Waits until `event` has happened `times` times since the start.
    bool wait_for(PortEvent event, long times = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(10),
                                 [&] { return std::count(seen_.begin(), seen_.end(), event) >= times; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<PortEvent> seen_;
};

class VhostTest : public testing::Test {
  protected:
    VhostTest() {
        char pattern[] = "/tmp/vhost-test-XXXXXX";
        folder_ = mkdtemp(pattern);
        static rte_mempool* const pool =
            rte_pktmbuf_pool_create("vhost-test", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
        pool_ = pool;
        buffers_at_start_ = rte_mempool_avail_count(pool_);
    }
    ~VhostTest() override {
        EXPECT_EQ(rte_mempool_avail_count(pool_), buffers_at_start_) << "a frame was leaked or freed twice";
        std::filesystem::remove_all(folder_);
    }

    [[nodiscard]] std::string path(const char* name = "p.sock") const { return folder_ + "/" + name; }

    [[nodiscard]] Port port(VhostMode mode, std::uint16_t queues = 1, const char* socket = "p.sock") const {
        return {.owner = {},
                .name = "p",
                .device =
                    VhostUserDevice{
                        .path = path(socket), .mode = mode, .owner_uid = {}, .owner_gid = {}, .socket_mode = {}},
                .queues = queues,
                .mtu = {},
                .attachments = {},
                .workers = {}};
    }
    std::unique_ptr<PortIo> open(const Port& port, std::uint16_t workers = 1) {
        auto opened = open_vhost_port(port, 1500, pool_, workers, relay_, events_.sink());
        if (!opened) {
            ADD_FAILURE() << opened.error().message << " at " << opened.error().field;
            return nullptr;
        }
        return *std::move(opened);
    }
    /// A server port with a guest that has started.
    std::unique_ptr<PortIo> open_with_guest(std::optional<FakeGuest>& guest, std::uint64_t features = kPlainGuest,
                                            std::uint16_t buffers = FakeGuest::kRingSize) {
        auto opened = open(port(VhostMode::server));
        guest.emplace(FakeGuest::connect_to(path()));
        guest->start(features, 1, buffers);
        EXPECT_TRUE(events_.wait_for(PortEvent::link_up));
        return opened;
    }

    rte_mbuf* buffer(const Frame& bytes) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
        std::copy(bytes.begin(), bytes.end(),
                  reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes.size()))));
        return mbuf;
    }
    static Frame bytes_of(const rte_mbuf* mbuf) {
        Frame bytes(mbuf->pkt_len);
        const void* data = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, bytes.data());
        if (data != bytes.data()) std::copy_n(static_cast<const std::uint8_t*>(data), bytes.size(), bytes.data());
        return bytes;
    }
    /// One frame from the port, or null.
    static rte_mbuf* receive_one(PortIo& port, std::uint16_t queue = 0) {
        rte_mbuf* frame = nullptr;
        return port.receive(queue, &frame, 1) == 1 ? frame : nullptr;
    }
    static std::string detail(const PortIo& port, std::string_view key) {
        for (const auto& [name, value] : port.state().details)
            if (name == key) return value;
        return {};
    }
    /// A guest's last event comes a moment before its connection is gone; until then the next is refused.
    static void wait_until_closed(const PortIo& port) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (detail(port, "socket") != "waiting" && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
    }
    static Frame frame_of(std::size_t size, std::uint8_t seed = 1) {
        Frame frame(size);
        for (std::size_t at = 0; at < size; ++at) frame[at] = static_cast<std::uint8_t>(seed + at);
        return frame;
    }

    const std::shared_ptr<vhost::Relay> relay_ = vhost::Relay::create().value();
    std::string folder_;
    rte_mempool* pool_ = nullptr;
    unsigned buffers_at_start_ = 0;
    Events events_;
};

}  // namespace bulkhead::test
