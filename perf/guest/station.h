// SPDX-License-Identifier: Apache-2.0
// One port of the guest: a virtio-user device and frames that lie ready.
//
// The switch is what is measured, so a frame costs the guest as little as can be: all buffers of the pool it sends from
// hold the same frame with its length set, and neither is touched again. (Frames can't be shared instead: for a buffer
// with another owner the driver takes a second descriptor.)
#pragma once

#include <array>
#include <cstdint>
#include <span>

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead::guest {

class Station {
  public:
    static constexpr std::uint16_t kMaxBurst = 64;

    struct Settings {
        std::uint16_t number;   ///< its MAC and IP address
        std::uint16_t partner;  ///< the station it sends to
        std::uint16_t frame_bytes;
        std::uint16_t ring;  ///< descriptors
    };

    /// `port`: an ethdev that is not configured yet. Throws std::runtime_error.
    Station(std::uint16_t port, const Settings& settings);

    /// Offers `count` frames to the ring and returns how many it took.
    std::uint16_t send(std::uint16_t count);

    /// The same, each frame stamped with the time before.
    std::uint16_t send_stamped(std::uint16_t count);

    /// What has come, kMaxBurst at most, until the next call.
    [[nodiscard]] std::span<rte_mbuf* const> receive();

    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t received() const { return received_; }

  private:
    void configure(const Settings& settings);
    void prepare_frames(const Settings& settings);
    /// Sees to it that `ready_` holds `count` frames; how many it holds at least.
    std::uint16_t stock(std::uint16_t count);

    std::uint16_t port_;
    rte_mempool* to_send_ = nullptr;
    std::array<rte_mbuf*, kMaxBurst> ready_{};
    std::uint16_t stocked_ = 0;
    std::array<rte_mbuf*, kMaxBurst> arrived_{};
    std::uint16_t held_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
};

}  // namespace bulkhead::guest
