// SPDX-License-Identifier: Apache-2.0
// From two answers of stats.get to rates. The switch never resets its counters: whoever wants a rate subtracts. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

struct PortRate {
    std::string name;
    double rx_packets = 0, tx_packets = 0;  ///< a second
    double rx_bits = 0, tx_bits = 0;        ///< a second
    double drops = 0;                       ///< a second
    std::string leading_reason;             ///< of those drops; empty: none
};

struct WorkerRate {
    std::uint64_t worker = 0;
    double busy = 0;                                  ///< share of its cycles that had frames in them, 0-1
    double received = 0, transmitted = 0, drops = 0;  ///< a second
};

struct Rates {
    double seconds = 0;
    std::vector<PortRate> ports;
    PortRate total;
    std::vector<WorkerRate> workers;
};

enum class SortKey : unsigned char { rate, name, rx, tx, drops };
[[nodiscard]] std::optional<SortKey> sort_key_from(std::string_view name);
void sort_ports(std::vector<PortRate>& ports, SortKey key);

/// Remembers the last answer. What was not in it, or has lower counters than in it (the switch was started anew), has
/// no rate yet and shows as 0.
class RateMeter {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Nothing at the first answer.
    std::optional<Rates> update(const nlohmann::json& stats, Time now);

  private:
    using Counters = std::map<std::string, std::uint64_t>;  ///< "rx_packets", …, "drops/REASON"

    std::map<std::string, Counters> ports_;
    std::map<std::uint64_t, Counters> workers_;
    std::optional<Time> last_;
};

}  // namespace bulkhead::cli
