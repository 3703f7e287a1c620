// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/cli/fake_switch.h"

#include <algorithm>
#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bulkhead::cli {
namespace {

using nlohmann::json;

/// Waits for the descriptor, but not beyond the end of the server.
bool wait_readable(int descriptor, int end) {
    pollfd both[] = {{descriptor, POLLIN, 0}, {end, POLLIN, 0}};
    return ::poll(both, 2, -1) > 0 && both[1].revents == 0;
}

void send_line(int connection, const json& message) {
    const std::string line = message.dump() + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
        const auto count = ::send(connection, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
    }
}

}  // namespace

json result(json value) {
    json reply;
    reply["result"] = std::move(value);
    return reply;
}

FakeSwitch::FakeSwitch(std::map<std::string, Answer> answers) : answers_(std::move(answers)) {
    folder_ = (std::filesystem::temp_directory_path() / "bulkhead-cli-XXXXXX").string();
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder for the socket");
    path_ = folder_ + "/control.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path_, address.sun_path);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    end_ = ::eventfd(0, EFD_CLOEXEC);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 8) != 0)
        throw std::runtime_error("no socket at " + path_);
    thread_ = std::thread([this] { serve(); });
}

FakeSwitch::~FakeSwitch() {
    ::eventfd_write(end_, 1);
    thread_.join();
    ::close(listener_);
    ::close(end_);
    std::filesystem::remove_all(folder_);
}

std::vector<json> FakeSwitch::requests() const {
    const std::scoped_lock lock(mutex_);
    return requests_;
}

void FakeSwitch::serve() {
    while (wait_readable(listener_, end_)) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        serve_connection(connection);
        ::close(connection);
    }
}

void FakeSwitch::serve_connection(int connection) {
    std::string received;
    char bytes[4096];
    while (wait_readable(connection, end_)) {
        const auto count = ::recv(connection, bytes, sizeof bytes, 0);
        if (count <= 0) return;
        received.append(bytes, static_cast<std::size_t>(count));
        for (std::size_t end = 0; (end = received.find('\n')) != std::string::npos; received.erase(0, end + 1))
            if (!answer(connection, received.substr(0, end))) return;
    }
}

bool FakeSwitch::answer(int connection, const std::string& line) {
    const json request = json::parse(line);
    {
        const std::scoped_lock lock(mutex_);
        requests_.push_back(request);
    }
    const auto method = request.at("method").get<std::string>();
    const auto found = answers_.find(method);
    json reply = found == answers_.end() ? json{{"error", {{"code", -32601}, {"message", "no such method"}}}}
                                         : found->second(request.at("params"));
    if (reply.is_null()) return true;
    reply["jsonrpc"] = "2.0";
    reply["id"] = request.at("id");
    send_line(connection, reply);
    if (method != "events.subscribe") return true;
    for (const json& event : events_) send_line(connection, event);
    return false;
}

}  // namespace bulkhead::cli
