// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "vhost/relay/door.h"
#include "vhost/relay/folder_watch.h"
#include "vswitch/base/event_loop.h"

namespace bulkhead::vhost {

/// The guest owns the socket and we connect to it: at once when it appears, and again and again while it refuses.
///
/// The folder may be the guest's. So the socket is opened as a file first, without following a link, looked at, and
/// connected to through that descriptor: what is put in its place in between is not met.
class ClientDoor final : public Door {
  public:
    ClientDoor(EventLoop& loop, FolderWatch& folders, std::string path, Admit admit);
    ~ClientDoor() override;

    void guest_left() override;

  private:
    void look();
    void watch_folder();
    void look_again(bool somebody_may_come_soon);

    EventLoop& loop_;
    FolderWatch& folders_;
    const std::string path_;
    const Admit admit_;
    FolderWatch::Id watch_ = 0;
    EventLoop::TimerId timer_ = 0;
    std::chrono::milliseconds pause_;
    EventLoop::Clock::time_point came_;  ///< the last guest
};

}  // namespace bulkhead::vhost
