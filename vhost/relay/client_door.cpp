// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/client_door.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utility>

namespace bulkhead::vhost {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortest{5}, kLongest{1000};
/// A guest that stayed for less is not called back at once: one that comes and goes would have all our time.
constexpr milliseconds kShortVisit{500};

/// A connection to the socket at `path` itself, or none.
UniqueFd connect_to(const std::string& path) {
    const UniqueFd file(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found{};
    if (!file.valid() || fstat(file.get(), &found) != 0 || !S_ISSOCK(found.st_mode)) return UniqueFd();
    UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ("/proc/self/fd/" + std::to_string(file.get())).copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
    return connection;
}

}  // namespace

ClientDoor::ClientDoor(EventLoop& loop, FolderWatch& folders, std::string path, Admit admit)
    : loop_(loop), folders_(folders), path_(std::move(path)), admit_(std::move(admit)), pause_(kShortest) {
    timer_ = loop_.add_timer({}, [this] { look(); });  // not now: nobody may be admitted before this is made
}

ClientDoor::~ClientDoor() {
    folders_.forget(watch_);
    loop_.cancel_timer(timer_);
}

void ClientDoor::look() {
    loop_.cancel_timer(timer_);
    timer_ = 0;
    watch_folder();  // first: what appears after it is not missed
    UniqueFd guest = connect_to(path_);
    if (!guest.valid()) return look_again(false);
    folders_.forget(std::exchange(watch_, 0));
    came_ = EventLoop::Clock::now();
    admit_(std::move(guest));
}

/// Of the folders on the way to the socket the last one that there is.
void ClientDoor::watch_folder() {
    folders_.forget(std::exchange(watch_, 0));
    std::filesystem::path awaited = path_;
    while (watch_ == 0 && awaited.has_relative_path()) {
        watch_ = folders_.watch(awaited.parent_path(), awaited.filename(), [this] { look_again(true); });
        awaited = awaited.parent_path();
    }
}

/// A socket is bound before it is listened on, and nothing tells of the latter: so a look soon after the file appeared,
/// and then ever more seldom.
void ClientDoor::look_again(bool somebody_may_come_soon) {
    pause_ = somebody_may_come_soon ? kShortest : std::min(2 * pause_, kLongest);
    loop_.cancel_timer(timer_);
    timer_ = loop_.add_timer(pause_, [this] { look(); });
}

void ClientDoor::guest_left() {
    look_again(EventLoop::Clock::now() - came_ >= kShortVisit);
}

}  // namespace bulkhead::vhost
