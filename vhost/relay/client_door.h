// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "vhost/relay/door.h"
#include "vhost/relay/folder_watch.h"
#include "vhost/socket_place.h"
#include "vswitch/base/event_loop.h"

namespace bulkhead::vhost {

/// The guest owns the socket and we connect to it: at once when it appears, and again and again while it refuses.
///
/// The folder may be the guest's. So the socket is opened as a file first, looked at, and connected to through that
/// descriptor: what is put in its place in between is not met.
class ClientDoor final : public Door {
  public:
    ClientDoor(EventLoop& loop, FolderWatch& folders, SocketPlace place, Admit admit);
    ~ClientDoor() override;

    void guest_left() override;

  private:
    void look();
    void watch_folder();
    void look_again(bool somebody_may_come_soon);

    EventLoop& loop_;
    FolderWatch& folders_;
    const SocketPlace place_;
    const Admit admit_;
    FolderWatch::Id watch_ = 0;
    EventLoop::TimerId timer_ = 0;
    std::chrono::milliseconds pause_;
    EventLoop::Clock::time_point came_;  ///< the last guest
};

}  // namespace bulkhead::vhost
