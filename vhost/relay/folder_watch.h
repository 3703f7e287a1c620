// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "vswitch/base/event_loop.h"

namespace bulkhead::vhost {

/// Tells when a file of some name appears in a folder (inotify(7)), so that nobody has to look again and again. One for
/// all, since the kernel allows a user only 128 instances. The loop's thread.
class FolderWatch {
  public:
    using Id = std::uint64_t;  ///< never 0

    static Result<std::unique_ptr<FolderWatch>> create(EventLoop& loop);
    ~FolderWatch();
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;

    /// Calls when something called `name` appears in `folder`, or the folder goes: then it is watched no more, and is
    /// to be asked for again. 0 if the folder can't be watched: it is not there, say.
    Id watch(const std::string& folder, const std::string& name, std::function<void()> appeared);
    void forget(Id id);  ///< 0 and unknown ones are ignored

  private:
    struct Wish {
        int folder = -1;  ///< inotify's number of it, the same for all who watch it
        std::string name;
        std::function<void()> appeared;
    };

    FolderWatch(EventLoop& loop, UniqueFd inotify) : loop_(loop), inotify_(std::move(inotify)) {}
    void serve();
    void tell(int folder, const std::string& name, bool has_gone);

    EventLoop& loop_;
    UniqueFd inotify_;
    Id last_ = 0;
    std::map<Id, Wish> wishes_;
    std::multimap<std::pair<int, std::string>, Id> by_name_;
};

}  // namespace bulkhead::vhost
