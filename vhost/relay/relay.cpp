// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/relay.h"

#include <chrono>
#include <future>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

#include <spdlog/spdlog.h>

#include "vhost/guest_memory.h"
#include "vhost/relay/client_door.h"
#include "vhost/relay/server_door.h"
#include "vhost/relay/session.h"

namespace bulkhead::vhost {
namespace {

constexpr std::chrono::milliseconds kLook{50};  ///< how long a guest can hold a worker, see CallSet

}  // namespace

/// A port's socket, and its guest if there is one.
class Relay::ServedPort {
  public:
    ServedPort(EventLoop& loop, Settings settings, GuestListener& listener)
        : loop_(loop), settings_(std::move(settings)), listener_(listener) {}
    ServedPort(const ServedPort&) = delete;
    ServedPort& operator=(const ServedPort&) = delete;
    ~ServedPort() {
        if (session_) listener_.withdraw_device();
    }

    Result<> open(FolderWatch& folders, SocketPlace place) {
        auto admit = [this](UniqueFd guest) { this->admit(std::move(guest)); };
        if (settings_.device.mode == VhostMode::client) {
            door_ = std::make_unique<ClientDoor>(loop_, folders, std::move(place), std::move(admit));
            return {};
        }
        auto door = ServerDoor::open(loop_, settings_.device, std::move(place), std::move(admit));
        if (!door) return std::unexpected(door.error());
        door_ = *std::move(door);
        return {};
    }

    void close_if_without_memory() {
        if (!session_ || !listener_.has_lost_memory()) return;
        leave("it took back memory that it shares with us");
        door_->guest_left();
    }

    void close_if_it_jams() {
        if (!session_ || !listener_.has_jammed_call()) return;
        leave("it filled an eventfd that we are to write to");
        door_->guest_left();
    }

  private:
    void admit(UniqueFd guest) {
        if (session_) return listener_.guest_refused();
        auto library = LibraryConnection::open(listener_.refused_features(wants_more_), listener_);
        listener_.guest_came();
        if (!library) {
            listener_.guest_left(library.error().message);
            return door_->guest_left();
        }
        came_ = EventLoop::Clock::now();
        session_ = std::make_unique<Session>(loop_, std::move(guest), *std::move(library), settings_.queue_pairs,
                                             [this](const std::string& why) {
                                                 leave(why);
                                                 door_->guest_left();
                                             });
    }

    void leave(const std::string& why) {
        constexpr std::chrono::milliseconds kSoon{500};
        wants_more_ = session_->was_offer_declined() && EventLoop::Clock::now() - came_ < kSoon;
        listener_.withdraw_device();
        session_.reset();  // the device has stopped when this returns
        listener_.guest_left(why);
    }

    EventLoop& loop_;
    const Settings settings_;
    GuestListener& listener_;
    std::unique_ptr<Door> door_;
    std::unique_ptr<Session> session_;
    EventLoop::Clock::time_point came_;
    bool wants_more_ = false;  ///< the last guest
};

Result<std::unique_ptr<Relay>> Relay::create(std::vector<std::string> roots) {
    auto loop = EventLoop::create(
        [](const std::exception& error) { spdlog::error("vhost-user: a callback failed: {}", error.what()); });
    if (!loop) return std::unexpected(loop.error());
    auto folders = FolderWatch::create(**loop);
    if (!folders) return std::unexpected(folders.error());
    std::unique_ptr<Relay> relay(new Relay(std::move(roots), *std::move(loop), *std::move(folders)));
    if (auto watched = relay->watch_memory(); !watched) return std::unexpected(watched.error());
    relay->on_thread(
        [self = relay.get()] { self->loop_->add_periodic(kLook, [self] { self->close_those_who_jam(); }); });
    return relay;
}

Result<> Relay::watch_memory() {
    auto bell = GuestMemory::watch();
    if (!bell) return std::unexpected(bell.error());
    Result<> added;
    on_thread([&] {
        added = loop_->add_fd(*bell, EPOLLIN, [this, bell = *bell](std::uint32_t) {
            std::uint64_t times = 0;
            [[maybe_unused]] const auto got = read(bell, &times, sizeof times);
            close_those_without_memory();
        });
    });
    return added;
}

void Relay::close_those_who_jam() {
    for (const auto& [path, port] : ports_) port->close_if_it_jams();
}

void Relay::close_those_without_memory() {
    for (const auto& [path, port] : ports_) port->close_if_without_memory();
}

Relay::Relay(std::vector<std::string> roots, std::unique_ptr<EventLoop> loop, std::unique_ptr<FolderWatch> folders)
    : roots_(std::move(roots)), loop_(std::move(loop)), folders_(std::move(folders)), thread_([this] {
          pthread_setname_np(pthread_self(), "vhost-relay");
          loop_->run();
      }) {}

Relay::~Relay() {
    loop_->stop();
    thread_.join();
}

Result<> Relay::add(const Settings& settings, GuestListener& listener) {
    Result<> result;
    on_thread([&] {
        auto [place, is_new] = ports_.try_emplace(settings.device.path);
        if (!is_new) {
            result = failure({.code = ErrorCode::in_use,
                              .message = "another port uses this socket",
                              .field = "/path",
                              .got = settings.device.path,
                              .allowed = {},
                              .object_kind = {},
                              .object_name = {}});
            return;
        }
        place->second = std::make_unique<ServedPort>(*loop_, settings, listener);
        result = place->second->open(*folders_, this->place(settings.device.path));
        if (!result) ports_.erase(place);
    });
    return result;
}

void Relay::remove(const std::string& path) {
    on_thread([&] { ports_.erase(path); });
}

void Relay::on_thread(const std::function<void()>& work) {
    std::packaged_task<void()> task(work);
    loop_->post([&task] { task(); });
    task.get_future().get();
}

}  // namespace bulkhead::vhost
