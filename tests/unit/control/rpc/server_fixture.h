// SPDX-License-Identifier: Apache-2.0
// A server on a socket in a folder of its own, and clients, all on the test's one thread: a test turns the loop until
// what it waits for has come.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

#include <gtest/gtest.h>

#include "control/rpc/server.h"
#include "tests/unit/control/rpc/temp_folder.h"
#include "vswitch/base/event_loop.h"

namespace bulkhead::rpc {

class TestClient {
  public:
    /// nullopt when the backlog is full (EAGAIN).
    static std::optional<TestClient> connect(const std::string& path) {
        UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.data(), path.size());
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            return std::nullopt;
        return TestClient(std::move(socket));
    }

    /// As much of `bytes` as the socket takes; returns what is left.
    std::string_view send_some(std::string_view bytes) {
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) broken_ = true;
        return sent < 0 ? bytes : bytes.substr(static_cast<std::size_t>(sent));
    }
    void receive() {
        std::array<char, 65536> buffer;
        for (;;) {
            const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) {
                if (got == 0 || errno != EAGAIN) ended_ = true;
                return;
            }
            received_.append(buffer.data(), static_cast<std::size_t>(got));
        }
    }
    std::optional<std::string> line() {
        const auto newline = received_.find('\n', taken_);
        if (newline == std::string::npos) return std::nullopt;
        auto line = received_.substr(taken_, newline - taken_);
        taken_ = newline + 1;
        return line;
    }
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool broken() const { return broken_; }
    void end_output() { ::shutdown(socket_.get(), SHUT_WR); }
    void close() { socket_.reset(); }

  private:
    explicit TestClient(UniqueFd socket) : socket_(std::move(socket)) {}

    UniqueFd socket_;
    std::string received_;
    std::size_t taken_ = 0;
    bool ended_ = false;
    bool broken_ = false;
};

class ServerFixture : public testing::Test {
  protected:
    ServerFixture() {
        settings.path = folder / "control.sock";
        hooks.answer = [this](const Caller&, std::string_view line) -> std::optional<std::string> {
            ++answered;
            if (line == "quiet") return std::nullopt;
            return "re:" + std::string(line.substr(0, 100));
        };
        hooks.on_closed = [this](std::uint64_t) { ++closed; };
    }

    void start() {
        auto created = Server::create(*loop, settings, hooks);
        ASSERT_TRUE(created) << created.error().message;
        server = std::move(*created);
    }
    TestClient connect() {
        auto client = TestClient::connect(settings.path);
        EXPECT_TRUE(client) << std::strerror(errno);
        return std::move(*client);
    }

    /// Turns the loop until `done`, at most ten seconds.
    void turn_until(const std::function<bool()>& done) {
        const auto give_up = EventLoop::Clock::now() + std::chrono::seconds(10);
        while (!done()) {
            ASSERT_LT(EventLoop::Clock::now(), give_up) << "it did not happen";
            loop->turn(std::chrono::milliseconds(1));
        }
    }
    std::string line_from(TestClient& client) {
        std::optional<std::string> line;
        turn_until([&] {
            client.receive();
            line = client.line();
            return line || client.ended();
        });
        return line.value_or("(end of file)");
    }
    void send_all(TestClient& client, std::string_view bytes) {
        turn_until([&] {
            bytes = client.send_some(bytes);
            return bytes.empty() || client.broken();
        });
    }
    void expect_end(TestClient& client) {
        turn_until([&] {
            client.receive();
            return client.ended();
        });
        EXPECT_EQ(client.line(), std::nullopt);
    }

    TempFolder folder;
    std::unique_ptr<EventLoop> loop =
        EventLoop::create([](const std::exception& error) { ADD_FAILURE() << error.what(); }).value();
    ServerSettings settings;
    ServerHooks hooks;
    std::unique_ptr<Server> server;
    std::size_t answered = 0, closed = 0;
};

}  // namespace bulkhead::rpc
