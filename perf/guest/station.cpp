// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/station.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "perf/guest/frame.h"

namespace bulkhead::guest {
namespace {

constexpr unsigned kCache = 256;

rte_mempool* pool(const std::string& name, std::uint16_t ring) {
    // A full ring, a cache as full as it gets, and what is in the guest's hands.
    const unsigned buffers = std::bit_ceil(ring + kCache * 3 / 2 + 2U * Station::kMaxBurst) - 1;
    auto* const made = rte_pktmbuf_pool_create(name.c_str(), buffers, kCache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    if (made == nullptr) throw std::runtime_error("no memory for the pool " + name + ": " + rte_strerror(rte_errno));
    return made;
}

void require(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + rte_strerror(-result));
}

}  // namespace

Station::Station(std::uint16_t port, const Settings& settings)
    : port_(port), to_send_(pool("send" + std::to_string(port), settings.ring)) {
    prepare_frames(settings);
    configure(settings);
}

void Station::configure(const Settings& settings) {
    const rte_eth_conf nothing_special{};
    require(rte_eth_dev_configure(port_, 1, 1, &nothing_special), "rte_eth_dev_configure");
    require(rte_eth_rx_queue_setup(port_, 0, settings.ring, 0, nullptr,
                                   pool("receive" + std::to_string(port_), settings.ring)),
            "rte_eth_rx_queue_setup");
    require(rte_eth_tx_queue_setup(port_, 0, settings.ring, 0, nullptr), "rte_eth_tx_queue_setup");
    require(rte_eth_dev_start(port_), "rte_eth_dev_start");
}

void Station::prepare_frames(const Settings& settings) {
    auto prepare = [](rte_mempool*, void* opaque, void* object, unsigned) {
        const auto& wanted = *static_cast<const Settings*>(opaque);
        auto* const frame = static_cast<rte_mbuf*>(object);
        rte_pktmbuf_reset(frame);
        frame->data_len = wanted.frame_bytes;
        frame->pkt_len = wanted.frame_bytes;
        write_frame({rte_pktmbuf_mtod(frame, std::uint8_t*), wanted.frame_bytes}, wanted.partner, wanted.number);
    };
    auto copy = settings;
    rte_mempool_obj_iter(to_send_, prepare, &copy);
}

std::uint16_t Station::stock(std::uint16_t count) {
    // Not rte_pktmbuf_alloc_bulk(), which would set the lengths to 0.
    if (stocked_ < count &&
        rte_mempool_get_bulk(to_send_, reinterpret_cast<void**>(ready_.data() + stocked_), count - stocked_) == 0) {
        stocked_ = count;
    }
    return std::min(stocked_, count);
}

std::uint16_t Station::send(std::uint16_t count) {
    const std::uint16_t ready = stock(count);
    const std::uint16_t taken = rte_eth_tx_burst(port_, 0, ready_.data(), ready);
    // They are alike: those from the end fill the places of those that are gone.
    const std::uint16_t left = stocked_ - taken;
    std::copy(ready_.data() + std::max(taken, left), ready_.data() + stocked_, ready_.data());
    stocked_ = left;
    sent_ += taken;
    return taken;
}

std::uint16_t Station::send_stamped(std::uint16_t count) {
    const std::uint16_t ready = stock(count);
    const std::uint64_t now = rte_rdtsc();
    for (std::uint16_t at = 0; at < ready; ++at) stamp(rte_pktmbuf_mtod(ready_[at], std::uint8_t*), now);
    return send(ready);
}

std::span<rte_mbuf* const> Station::receive() {
    if (held_ > 0) rte_pktmbuf_free_bulk(arrived_.data(), held_);
    held_ = rte_eth_rx_burst(port_, 0, arrived_.data(), kMaxBurst);
    received_ += held_;
    return {arrived_.data(), held_};
}

}  // namespace bulkhead::guest
