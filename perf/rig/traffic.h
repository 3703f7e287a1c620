// SPDX-License-Identifier: Apache-2.0
// Who sends to whom: what makes the headers of one port's frames, one after another. None has a virtual call, for a
// source's loop to be one piece.
//
// Each has Frame, of what kind its frames are; stations(), how many have something to say; introduction(n), a frame by
// which the n-th becomes known; next(), the header of the next frame.
#pragma once

#include <cstdint>

#include "perf/rig/frame.h"
#include "perf/rig/random.h"
#include "perf/rig/station.h"

namespace bulkhead::rig {

/// Stations on each side of each segment.
struct Population {
    std::uint32_t segments = 1;
    std::uint32_t stations = 1;
};

/// Any station of this side to any one of the far side in the same segment: segment, source and destination uniformly
/// random, each frame anew. Tagged, segment s is VLAN s + 1; untagged there is but one.
template <bool kWithTag>
class StationTraffic {
  public:
    using Frame = rig::Frame<kWithTag>;

    StationTraffic(std::uint8_t side, std::uint8_t far_side, Population population)
        : side_(side), far_side_(far_side), population_(population), random_(side + 1ULL) {}

    [[nodiscard]] std::uint32_t stations() const noexcept { return population_.segments * population_.stations; }

    [[nodiscard]] Header introduction(std::uint32_t number) const noexcept {
        return header(number / population_.stations, 0, number % population_.stations);
    }

    [[nodiscard]] Header next() noexcept {
        const std::uint64_t bits = random_.next();
        std::uint32_t segment = 0;
        if constexpr (kWithTag) segment = below(random_.next(), population_.segments);
        return header(segment, below(bits >> 32, population_.stations), below(bits, population_.stations));
    }

  private:
    [[nodiscard]] Header header(std::uint32_t segment, std::uint32_t to, std::uint32_t by) const noexcept {
        return {station_mac(far_side_, segment, to), station_mac(side_, segment, by),
                static_cast<std::uint16_t>(segment + 1)};
    }

    std::uint8_t side_, far_side_;
    Population population_;
    Random random_;
};

/// Any station of this side to everybody.
class BroadcastTraffic {
  public:
    using Frame = rig::Frame<false>;

    BroadcastTraffic(std::uint8_t side, std::uint32_t stations)
        : side_(side), stations_(stations), random_(side + 1ULL) {}

    [[nodiscard]] std::uint32_t stations() const noexcept { return stations_; }
    [[nodiscard]] Header introduction(std::uint32_t number) const noexcept {
        return {kBroadcast, station_mac(side_, 0, number)};
    }
    [[nodiscard]] Header next() noexcept { return introduction(below(random_.next(), stations_)); }

  private:
    std::uint8_t side_;
    std::uint32_t stations_;
    Random random_;
};

}  // namespace bulkhead::rig
