// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/acceptor.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <tuple>
#include <utility>

#include "control/rpc/json_rpc.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
namespace {

constexpr int kAcceptsPerTurn = 64;
constexpr std::chrono::milliseconds kAcceptPause{100};

UniqueFd open_spare() {
    return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

void refuse(const UniqueFd& socket, const Error& why) {
    const std::string line = error_reply(why) + '\n';
    [[maybe_unused]] const auto sent = ::send(socket.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

Error retryable_limit(std::string message, std::string allowed) {
    Error error = refusal(ErrorCode::limit, std::move(message), "", "", std::move(allowed));
    error.retryable = true;
    return error;
}

Acceptor::Acceptor(EventLoop& loop, Listener listener, std::function<void(UniqueFd)> admit)
    : loop_(loop), listener_(std::move(listener)), admit_(std::move(admit)), spare_(open_spare()) {}

Acceptor::~Acceptor() {
    loop_.remove_fd(listener_.fd());
}

Result<> Acceptor::start() {
    return loop_.add_fd(listener_.fd(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

void Acceptor::accept() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
        UniqueFd socket(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.valid()) {
            admit_(std::move(socket));
        } else if (errno == EMFILE || errno == ENFILE) {
            shed_one();
            if (!spare_.valid()) return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

/// The process is out of descriptors. A connection left in the backlog would keep the listener readable and the loop
/// spinning, so the spare one is spent on telling the client; without a spare, accepting pauses.
void Acceptor::shed_one() {
    if (spare_.valid()) {
        spare_.reset();
        const UniqueFd socket(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.valid()) refuse(socket, retryable_limit("the switch has no file descriptor left", ""));
    }
    spare_ = open_spare();
    if (spare_.valid()) return;
    std::ignore = loop_.modify_fd(listener_.fd(), 0);
    loop_.add_timer(kAcceptPause, [this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        spare_ = open_spare();
        std::ignore = loop_.modify_fd(listener_.fd(), EPOLLIN);
    });
}

}  // namespace bulkhead::rpc
