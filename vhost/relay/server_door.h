// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <sys/stat.h>

#include "vhost/relay/door.h"
#include "vhost/socket_place.h"
#include "vswitch/base/event_loop.h"
#include "vswitch/base/result.h"
#include "vswitch/base/token_bucket.h"
#include "vswitch/model/model.h"

namespace bulkhead::vhost {

/// We own the socket and the guest connects to it, no more often than kPerSecond.
class ServerDoor final : public Door {
  public:
    static constexpr std::uint32_t kBurst = 100, kPerSecond = 20;

    /// Makes the socket, with the port's owner and mode.
    static Result<std::unique_ptr<ServerDoor>> open(EventLoop& loop, const VhostUserDevice& device, SocketPlace place,
                                                    Admit admit);
    ~ServerDoor() override;

    void guest_left() override {}

  private:
    ServerDoor(EventLoop& loop, SocketPlace place, Admit admit)
        : loop_(loop), place_(std::move(place)), admit_(std::move(admit)) {}
    void accept();

    EventLoop& loop_;
    const SocketPlace place_;
    const Admit admit_;
    UniqueFd listener_;
    std::optional<struct stat> made_;  ///< the file that is ours to remove: another may be in its place by then
    TokenBucket pace_{kPerSecond, kBurst};
    EventLoop::TimerId rest_ = 0;
};

}  // namespace bulkhead::vhost
