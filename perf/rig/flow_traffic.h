// SPDX-License-Identifier: Apache-2.0
// Connections between the stations of two sides: a numbered one has addresses and ports of its own. See traffic.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "perf/rig/flow_frame.h"
#include "perf/rig/random.h"
#include "perf/rig/station.h"

namespace bulkhead::rig {

inline constexpr std::array<std::uint16_t, 8> kServices{53, 123, 443, 514, 1812, 3478, 4500, 5060};  ///< of UDP

/// Stations of each side, over which connections are spread.
inline constexpr std::uint32_t kStationsOfFlows = 1'000;

/// The frame by which connection `number` is opened: a station of side `by` asks a service of one of side `to`. A side
/// is the network 10.SIDE.0.0/16. All numbers below 2^32 / 8 are different connections.
[[nodiscard]] inline FlowHeader opening(std::uint8_t by, std::uint8_t to, std::uint32_t number) noexcept {
    constexpr std::uint32_t kNet = 0x0a00'0000, kFirstPort = 1024, kPorts = 0x10000 - kFirstPort;
    const std::uint32_t from = number % kStationsOfFlows, at = number / kStationsOfFlows;
    const std::uint32_t service = at % kServices.size(), peer = at / kServices.size();
    // Each round of ports goes to other stations of the far side.
    const std::uint32_t server = (from + peer / kPorts + peer) % kStationsOfFlows;
    return {.ethernet = {.destination = station_mac(to, 0, server), .source = station_mac(by, 0, from)},
            .source = kNet | std::uint32_t{by} << 16 | from,
            .destination = kNet | std::uint32_t{to} << 16 | server,
            .source_port = static_cast<std::uint16_t>(kFirstPort + peer % kPorts),
            .port = kServices[service]};
}

[[nodiscard]] inline FlowHeader answer_to(FlowHeader header) noexcept {
    std::swap(header.ethernet.destination, header.ethernet.source);
    std::swap(header.source, header.destination);
    std::swap(header.source_port, header.port);
    return header;
}

/// Each side opens `connections`; then both talk in all of these, uniformly random.
class ConnectionTraffic {
  public:
    using Frame = FlowFrame;

    ConnectionTraffic(std::uint8_t side, std::uint8_t far_side, std::uint32_t connections)
        : side_(side), far_side_(far_side), connections_(connections), random_(side + 1ULL) {}

    [[nodiscard]] std::uint32_t stations() const noexcept { return connections_; }
    [[nodiscard]] FlowHeader introduction(std::uint32_t number) const noexcept {
        return opening(side_, far_side_, number);
    }
    [[nodiscard]] FlowHeader next() noexcept {
        const std::uint64_t bits = random_.next();
        const std::uint32_t number = below(bits, connections_);
        return bits >> 63 != 0 ? opening(side_, far_side_, number) : answer_to(opening(far_side_, side_, number));
    }

  private:
    std::uint8_t side_, far_side_;
    std::uint32_t connections_;
    Random random_;
};

/// `connections` at each introduction that there have never been before.
class OpeningTraffic {
  public:
    using Frame = FlowFrame;

    OpeningTraffic(std::uint8_t side, std::uint8_t far_side, std::uint32_t connections)
        : side_(side), far_side_(far_side), connections_(connections) {}

    [[nodiscard]] std::uint32_t stations() const noexcept { return connections_; }
    [[nodiscard]] FlowHeader introduction(std::uint32_t /*number*/) noexcept { return next(); }
    [[nodiscard]] FlowHeader next() noexcept { return opening(side_, far_side_, opened_++); }

  private:
    std::uint8_t side_, far_side_;
    std::uint32_t connections_;
    std::uint32_t opened_ = 0;
};

}  // namespace bulkhead::rig
