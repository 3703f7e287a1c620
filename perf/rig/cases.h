// SPDX-License-Identifier: Apache-2.0
// The cases, by name.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "perf/rig/scene.h"

struct rte_mempool;

namespace bulkhead::rig {

enum class Metric : std::uint8_t { packet, copy, opening };

struct Case {
    std::string_view name;
    std::string_view says;
    std::uint16_t workers;
    Metric metric;
    Scene (*set_up)(std::uint16_t workers, rte_mempool* buffers);
};

/// Stations of `learning` that turn up while it is measured: with those that were there, a million.
inline constexpr std::uint32_t kKnownASide = 10'000;
inline constexpr std::uint32_t kNewcomers = 1'000'000 - 2 * kKnownASide;

[[nodiscard]] std::span<const Case> cases();
/// Null: there is none of that name.
[[nodiscard]] const Case* find_case(std::string_view name);

}  // namespace bulkhead::rig
