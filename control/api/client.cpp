// SPDX-License-Identifier: Apache-2.0
#include "control/api/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bulkhead::api {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::unexpected<CallFailure> unreachable(std::string message) {
    return std::unexpected(CallFailure{CallFailure::Kind::unreachable, std::move(message), {}});
}

std::string error_text(int error) {
    return std::generic_category().message(error);
}

/// What a person should look at, by what the kernel said.
std::string advice(int error) {
    switch (error) {
        case ENOENT:
            return "is bulkheadd running, and with this --socket?";
        case ECONNREFUSED:
            return "nobody listens there: bulkheadd has ended; its log says why";
        case EACCES:
        case EPERM:
            return "you may not use the socket: ls -l shows who may";
        case EAGAIN:
            return "bulkheadd is there and accepts no connection; its log says why";
        default:
            return "see bulkheadd's log";
    }
}

std::unexpected<CallFailure> no_connection(const std::string& path, int error) {
    return unreachable("no connection to " + path + ": " + error_text(error) + "; " + advice(error));
}

}  // namespace

Client::Client(int socket, std::string path, milliseconds timeout)
    : socket_(socket), path_(std::move(path)), timeout_(timeout) {}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      path_(std::move(other.path_)),
      timeout_(other.timeout_),
      last_id_(other.last_id_),
      received_(std::move(other.received_)),
      searched_(other.searched_),
      notifications_(std::move(other.notifications_)) {}

Client::~Client() {
    if (socket_ >= 0) ::close(socket_);
}

CallResult<Client> Client::connect(const std::string& path, milliseconds timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return unreachable("no connection to \"" + path + "\": a socket's path has 1-" +
                           std::to_string(sizeof address.sun_path - 1) + " bytes");
    std::ranges::copy(path, address.sun_path);

    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return no_connection(path, errno);
    Client client(descriptor, path, timeout);
    // The send timeout is also connect's: it waits while the listener's backlog is full.
    const timeval wait{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return no_connection(path, errno);
    return client;
}

CallResult<> Client::call(const std::string& method, const json& params) {
    const std::int64_t id = ++last_id_;
    const json request = {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    if (auto sent = send_line(request.dump(-1, ' ', false, json::error_handler_t::replace)); !sent)
        return std::unexpected(sent.error());

    const Deadline deadline = steady_clock::now() + timeout_;
    while (true) {
        auto message = receive_message(deadline);
        if (!message) return message;
        if (message->contains("method")) {
            notifications_.push_back(std::move(*message));
        } else if (message->contains("error") && (message->value("id", json()) == id || message->at("id").is_null())) {
            return std::unexpected(CallFailure{CallFailure::Kind::refused, {}, message->at("error")});
        } else if (message->value("id", json()) == id && message->contains("result")) {
            return message->at("result");
        }
    }
}

CallResult<> Client::wait_notification() {
    while (notifications_.empty()) {
        auto message = receive_message(std::nullopt);
        if (!message) return message;
        if (message->contains("method")) notifications_.push_back(std::move(*message));
    }
    json notification = std::move(notifications_.front());
    notifications_.pop_front();
    return notification;
}

CallResult<void> Client::send_line(const std::string& line) {
    const std::string bytes = line + "\n";
    for (std::size_t sent = 0; sent < bytes.size();) {
        const auto count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return unreachable("the connection to " + path_ + " broke: " + error_text(errno));
        sent += static_cast<std::size_t>(count);
    }
    return {};
}

CallResult<> Client::receive_message(const Deadline& deadline) {
    std::size_t end = 0;
    while ((end = received_.find('\n', searched_)) == std::string::npos) {
        searched_ = received_.size();
        if (auto more = receive_more(deadline); !more) return std::unexpected(more.error());
    }
    json message = json::parse(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
    received_.erase(0, end + 1);
    searched_ = 0;
    if (!message.is_object()) return unreachable("what listens on " + path_ + " does not speak JSON-RPC 2.0");
    return message;
}

CallResult<void> Client::receive_more(const Deadline& deadline) {
    int wait_ms = -1;
    if (deadline) {
        const auto left = std::chrono::ceil<milliseconds>(*deadline - steady_clock::now());
        wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
    }
    pollfd readable{.fd = socket_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&readable, 1, wait_ms);
    if (ready < 0 && errno == EINTR) return {};
    if (ready == 0)
        return unreachable("no answer from " + path_ + " within " + std::to_string(timeout_.count() / 1000) +
                           " s (--timeout); a change may still take effect");
    std::array<char, 65536> bytes{};
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) return {};
    if (count < 0) return unreachable("the connection to " + path_ + " broke: " + error_text(errno));
    if (count == 0) return unreachable("the switch ended the connection to " + path_);
    received_.append(bytes.data(), static_cast<std::size_t>(count));
    return {};
}

}  // namespace bulkhead::api
