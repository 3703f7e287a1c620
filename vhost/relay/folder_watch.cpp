// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/folder_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <vector>

#include "vswitch/base/system_failure.h"

namespace bulkhead::vhost {

Result<std::unique_ptr<FolderWatch>> FolderWatch::create(EventLoop& loop) {
    UniqueFd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!inotify.valid()) return system_failure("cannot watch guests' folders (inotify)", errno);
    std::unique_ptr<FolderWatch> watch(new FolderWatch(loop, std::move(inotify)));
    auto added = loop.add_fd(watch->inotify_.get(), EPOLLIN, [self = watch.get()](std::uint32_t) { self->serve(); });
    if (!added) return std::unexpected(added.error());
    return watch;
}

FolderWatch::~FolderWatch() {
    loop_.remove_fd(inotify_.get());
}

FolderWatch::Id FolderWatch::watch(const std::string& folder, const std::string& name, std::function<void()> appeared) {
    const int number = inotify_add_watch(inotify_.get(), folder.c_str(),
                                         IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (number < 0) return 0;
    wishes_.emplace(++last_, Wish{.folder = number, .name = name, .appeared = std::move(appeared)});
    by_name_.emplace(std::pair(number, name), last_);
    return last_;
}

void FolderWatch::forget(Id id) {
    const auto found = wishes_.find(id);
    if (found == wishes_.end()) return;
    const int folder = found->second.folder;
    const auto [begin, end] = by_name_.equal_range({folder, found->second.name});
    by_name_.erase(std::find_if(begin, end, [id](const auto& entry) { return entry.second == id; }));
    wishes_.erase(found);
    const auto next = by_name_.lower_bound({folder, std::string()});
    if (next == by_name_.end() || next->first.first != folder) inotify_rm_watch(inotify_.get(), folder);
}

void FolderWatch::serve() {
    alignas(inotify_event) std::array<char, 4096> bytes;
    const ssize_t got = read(inotify_.get(), bytes.data(), bytes.size());
    for (ssize_t at = 0; at < got;) {
        inotify_event event{};
        std::memcpy(&event, bytes.data() + at, sizeof event);
        const char* const name = bytes.data() + at + sizeof event;
        at += static_cast<ssize_t>(sizeof event + event.len);
        const bool has_gone = (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) != 0;
        // Too much has happened for the kernel to say what: everybody looks.
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            std::vector<int> folders;
            for (const auto& [place, id] : by_name_) folders.push_back(place.first);
            for (const int folder : folders) tell(folder, {}, true);
            return;
        }
        tell(event.wd, event.len > 0 ? std::string(name) : std::string(), has_gone);
    }
}

void FolderWatch::tell(int folder, const std::string& name, bool has_gone) {
    std::vector<Id> concerned;
    const auto begin = by_name_.lower_bound({folder, has_gone ? std::string() : name});
    for (auto entry = begin; entry != by_name_.end() && entry->first.first == folder; ++entry)
        if (has_gone || entry->first.second == name) concerned.push_back(entry->second);
    for (const Id id : concerned) {
        const auto found = wishes_.find(id);  // a call may have forgotten the next
        if (found == wishes_.end()) continue;
        const auto appeared = found->second.appeared;
        if (has_gone) forget(id);
        appeared();
    }
}

}  // namespace bulkhead::vhost
