// SPDX-License-Identifier: Apache-2.0
// A TAP device in a network namespace: made or taken over, and its descriptors. No frames here.
// Source: Documentation/networking/tuntap.rst, linux/if_tun.h, netdevice(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/mac_address.h"
#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"
#include "vswitch/model/model.h"

namespace bulkhead {

/// The device is persistent: it stays in the pod, with its addresses, when the switch ends however it ends, and is
/// taken over when it starts again. forget() is the way to have it deleted. Descriptors and this object keep
/// a deleted namespace alive, so link() tells when it has lost its name, and the port must be closed then.
class TapInterface {
  public:
    /// Fails with field `/netns`, `/ifname`, `/mac` or `/mtu`: `in_use` when another process is attached to it,
    /// `exists` when the name belongs to something that is not a TAP of ours. On failure nothing new is left behind.
    static Result<TapInterface> open(const TapDevice& wanted, std::uint16_t queues, std::uint16_t mtu);

    /// One non-blocking descriptor for each queue.
    [[nodiscard]] const std::vector<UniqueFd>& queues() const noexcept { return queues_; }
    [[nodiscard]] std::optional<MacAddress> mac() const;

    enum class Link : std::uint8_t { up, down, gone };  ///< gone: the device is deleted, or its namespace
    [[nodiscard]] Link link() const;

    Result<> set_mtu(std::uint16_t mtu);  ///< on any thread: the ioctl goes by a socket of the namespace
    void forget() noexcept;               ///< the device goes when the last descriptor closes

  private:
    TapInterface() = default;
    Result<> attach(const TapDevice& wanted, std::uint16_t queues);
    Result<> set_up(const TapDevice& wanted, std::uint16_t mtu);
    Result<> set_mac(const MacAddress& wanted);
    Result<> bring_up();

    std::string netns_;
    UniqueFd network_namespace_;
    std::vector<UniqueFd> queues_;
    UniqueFd control_;  ///< a socket of the namespace, for the ioctls of netdevice(7)
};

}  // namespace bulkhead
