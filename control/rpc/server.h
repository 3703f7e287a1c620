// SPDX-License-Identifier: Apache-2.0
// Serves lines on a Unix stream socket: a request a line, replies in order per connection.
//
// No client can harm another: connections and input without a newline are bounded for all and for each user, queued
// output for each client. A turn of the loop serves requests for a bounded time, those of a client a few at a time; who
// has not had its turn is first in the next. A client that does not read its replies is not read from until it does;
// one that shut down only its sending side gets all its replies. Everything is called by the loop's thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/rpc/acceptor.h"
#include "control/rpc/caller.h"
#include "control/rpc/shares.h"
#include "vswitch/base/event_loop.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

/// Bounds; to pass one is answered with `limit`, naming it.
struct ServerLimits {
    std::size_t connections = 512;
    std::size_t request_bytes = 16UL * 1024 * 1024;  ///< one line
    std::size_t queued_bytes = 1024UL * 1024;  ///< a client's unread output at which its requests, and events, wait
    std::size_t unfinished_bytes = 256UL * 1024 * 1024;  ///< requests of all clients that have not ended yet
    std::size_t requests_per_turn = 16;                  ///< of one client
    std::chrono::milliseconds turn{100};                 ///< after which no further request is begun in a turn
    std::chrono::milliseconds linger{2000};              ///< how long a client that is turned away may take to read why
};

struct ServerSettings {
    std::string path;
    std::optional<gid_t> group;  ///< of the socket file
    std::vector<RoleGrant> grants;
    ServerLimits limits;
};

struct ServerHooks {
    /// The reply to a line, if it has one. The caller lives as long as its connection.
    std::function<std::optional<std::string>(const Caller&, std::string_view line)> answer;
    /// May be empty. A client that notify() refused has read on: there is room again.
    std::function<void(std::uint64_t connection)> on_drained;
    /// May be empty.
    std::function<void(std::uint64_t connection)> on_closed;
};

class Server {
  public:
    /// Listens at once. `settings` that can't be had (path too long, another daemon, …) are an Error.
    static Result<std::unique_ptr<Server>> create(EventLoop& loop, ServerSettings settings, ServerHooks hooks);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();  ///< sends what clients take without waiting; removes the socket file; calls no hook

    /// Queues a line that answers nothing. False when the client has too much unread: on_drained() follows. A
    /// connection that is gone or going takes everything.
    bool notify(std::uint64_t connection, std::string_view line);

    [[nodiscard]] std::size_t connections() const { return clients_.size(); }

  private:
    struct Client;

    Server(EventLoop& loop, ServerSettings settings, ServerHooks hooks, Listener listener);
    void admit(UniqueFd socket);
    void on_ready(std::uint64_t id, std::uint32_t events);
    void serve(Client& client);
    void check_input(Client& client);
    void turn_away(Client& client, const Error& why);
    void serve_waiting();
    void touch(Client& client);
    void finish_turn();
    void settle(Client& client);
    void watch(Client& client);
    void close(Client& client);
    [[nodiscard]] bool has_work(Client& client) const;
    [[nodiscard]] bool turn_is_over() const;
    [[nodiscard]] Client* find(std::uint64_t id);
    [[nodiscard]] EventLoop::Callback while_alive(void (Server::*member)());

    EventLoop& loop_;
    const ServerSettings settings_;
    const ServerHooks hooks_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Client>> clients_;
    std::uint64_t last_id_ = 0;
    Shares connections_;
    Shares unfinished_;  ///< bytes of input that waits for its newline
    std::optional<EventLoop::Clock::time_point> turn_ends_;
    std::vector<std::uint64_t> touched_;  ///< to be settled at the turn's end
    std::vector<std::uint64_t> waiting_;  ///< have whole requests left for the next turn
    Acceptor acceptor_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  ///< for callbacks that outlive the server
};

}  // namespace bulkhead::rpc
