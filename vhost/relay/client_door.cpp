// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/client_door.h"

#include <algorithm>
#include <filesystem>
#include <sys/socket.h>
#include <utility>

namespace bulkhead::vhost {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortest{5}, kLongest{1000};
/// A guest that stayed for less is not called back at once: one that comes and goes would have all our time.
constexpr milliseconds kShortVisit{500};

/// A connection to the socket itself, or none.
UniqueFd connect_to(const SocketPlace& place) {
    const UniqueFd file = place.open_socket();
    if (!file.valid()) return UniqueFd();
    UniqueFd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un address = address_of(file);
    if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return UniqueFd();
    return connection;
}

}  // namespace

ClientDoor::ClientDoor(EventLoop& loop, FolderWatch& folders, SocketPlace place, Admit admit)
    : loop_(loop), folders_(folders), place_(std::move(place)), admit_(std::move(admit)), pause_(kShortest) {
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
    UniqueFd guest = connect_to(place_);
    if (!guest.valid()) return look_again(false);
    folders_.forget(std::exchange(watch_, 0));
    came_ = EventLoop::Clock::now();
    admit_(std::move(guest));
}

/// Of the folders on the way to the socket the last one that there is.
void ClientDoor::watch_folder() {
    folders_.forget(std::exchange(watch_, 0));
    std::filesystem::path awaited = place_.path();
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
