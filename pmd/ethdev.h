// SPDX-License-Identifier: Apache-2.0
// Plugging and unplugging a DPDK Ethernet device by its devargs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "vswitch/base/result.h"

namespace bulkhead {

/// An ethdev that belongs to one port of ours (DPDK's own ownership marks it). Destroying it stops, closes and unplugs
/// the device; the same devargs can be plugged again. Control thread only.
class Ethdev {
  public:
    /// Errors have field `/devargs`: `device_failed` with DPDK's words, `in_use` with the port that has it, `limit`
    /// when DPDK's table of devices is full.
    static Result<Ethdev> plug(const std::string& devargs, const std::string& port_name);

    Ethdev(Ethdev&& other) noexcept : id_(std::exchange(other.id_, kNone)) {}
    Ethdev& operator=(Ethdev&&) = delete;
    Ethdev(const Ethdev&) = delete;
    ~Ethdev();

    [[nodiscard]] std::uint16_t id() const noexcept { return id_; }

  private:
    static constexpr std::uint16_t kNone = 0xffff;
    explicit Ethdev(std::uint16_t id) : id_(id) {}
    std::uint16_t id_;
};

}  // namespace bulkhead
