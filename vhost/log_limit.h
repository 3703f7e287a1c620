// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <utility>

namespace bulkhead::vhost {

/// A guest decides how often it comes and goes, so not each time is worth a line: one every ten seconds. One thread.
class LogLimit {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Whether to write a line now, and how often it would have been written since the last one.
    [[nodiscard]] std::optional<unsigned> pass(Time now) {
        ++times_;
        if (last_ && now - *last_ < std::chrono::seconds(10)) return std::nullopt;
        last_ = now;
        return std::exchange(times_, 0U);
    }

  private:
    std::optional<Time> last_;
    unsigned times_ = 0;
};

}  // namespace bulkhead::vhost
