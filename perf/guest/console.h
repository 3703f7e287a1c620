// SPDX-License-Identifier: Apache-2.0
// Standard input, looked at now and then from a polling loop: each line asks for a line of figures.
#pragma once

#include <cstdint>

namespace bulkhead::guest {

class Console {
  public:
    Console();

    /// Lines that have come since the last call. A system call once a millisecond, else one look at the TSC.
    [[nodiscard]] unsigned asked();

    /// Nobody can ask any more: time to go.
    [[nodiscard]] bool ended() const { return ended_; }

  private:
    std::uint64_t interval_;
    std::uint64_t next_ = 0;
    bool ended_ = false;
};

}  // namespace bulkhead::guest
