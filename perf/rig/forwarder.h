// SPDX-License-Identifier: Apache-2.0
// What is measured: the switch, or the floor under it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "vswitch/base/result.h"

namespace bulkhead::rig {

/// What went otherwise than from one port to one other, since the start.
struct Tally {
    std::uint64_t unknown = 0;  ///< dropped because the destination is not in the table; would be flooded else
    std::uint64_t copies = 0;
    std::uint64_t drops = 0;  ///< for any other reason
};

class Forwarder {
  public:
    Forwarder() = default;
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;
    virtual ~Forwarder() = default;

    /// A worker's life: returns after stop().
    virtual void run_worker(std::uint16_t worker) noexcept = 0;
    virtual void stop() noexcept = 0;

    // What the daemon's control thread does beside the workers.
    virtual void take_events() {}  ///< ten times a second
    virtual void housekeep() {}    ///< once a second

    /// None: it keeps no table.
    [[nodiscard]] virtual std::optional<std::size_t> macs_held() const { return std::nullopt; }
    [[nodiscard]] virtual std::optional<std::size_t> connections_held() const { return std::nullopt; }
    [[nodiscard]] virtual Tally tally() const { return {}; }
    /// Changes of the table that take_events() could not be told of.
    [[nodiscard]] virtual std::uint64_t events_lost() const { return 0; }
    virtual void forget_macs(const std::string& /*port*/) {}
    /// As if there had been silence for long enough that none is open any more.
    virtual void end_connections() {}

    /// Once the workers have ended: whether every frame is accounted for.
    [[nodiscard]] virtual Result<> check_books() const { return {}; }
};

}  // namespace bulkhead::rig
