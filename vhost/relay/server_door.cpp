// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/server_door.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "vhost/socket_path.h"

namespace bulkhead::vhost {
namespace {

constexpr int kBacklog = 16;
constexpr std::chrono::milliseconds kRest{50};

/// What is in the folder by that name, a link itself if it is one.
std::optional<struct stat> look_at(const UniqueFd& folder, const std::string& name) {
    struct stat found{};
    if (fstatat(folder.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return found;
}

}  // namespace

Result<std::unique_ptr<ServerDoor>> ServerDoor::open(EventLoop& loop, const VhostUserDevice& device, SocketPlace place,
                                                     Admit admit) {
    const UniqueFd folder = place.open_folder();
    if (!folder.valid()) return socket_failure("cannot open the socket's folder", place.path());
    const sockaddr_un address = place.address_in(folder);
    std::unique_ptr<ServerDoor> door(new ServerDoor(loop, std::move(place), std::move(admit)));
    door->listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int fd = door->listener_.get();
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return socket_failure("cannot make the socket", door->place_.path());
    door->made_ = look_at(folder, door->place_.name());
    if (auto access = set_socket_access(device, door->place_); !access) return std::unexpected(access.error());
    if (listen(fd, kBacklog) != 0) return socket_failure("cannot listen on the socket", door->place_.path());
    auto added = loop.add_fd(fd, EPOLLIN, [self = door.get()](std::uint32_t) { self->accept(); });
    if (!added) return std::unexpected(added.error());
    return door;
}

ServerDoor::~ServerDoor() {
    loop_.remove_fd(listener_.get());
    loop_.cancel_timer(rest_);
    if (!made_) return;
    const UniqueFd folder = place_.open_folder();
    // The listener, still open, keeps the number of its file from being used again.
    const auto found = look_at(folder, place_.name());
    if (found && found->st_dev == made_->st_dev && found->st_ino == made_->st_ino)
        unlinkat(folder.get(), place_.name().c_str(), 0);
}

void ServerDoor::accept() {
    UniqueFd guest(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    const bool has_none_left = !guest.valid() && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
    if (guest.valid()) admit_(std::move(guest));
    if (pace_.take(EventLoop::now_ms()) && !has_none_left) return;
    std::ignore = loop_.modify_fd(listener_.get(), 0);
    rest_ = loop_.add_timer(kRest, [this] {
        rest_ = 0;
        std::ignore = loop_.modify_fd(listener_.get(), EPOLLIN);
    });
}

}  // namespace bulkhead::vhost
