// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <tuple>
#include <utility>

#include <spdlog/spdlog.h>

#include "control/rpc/connection.h"
#include "control/rpc/json_rpc.h"
#include "control/rpc/refusal.h"

namespace bulkhead::rpc {
struct Server::Client {
    Client(UniqueFd socket, Caller caller) : connection(std::move(socket), std::move(caller)) {}

    Connection connection;
    std::size_t counted = 0;           ///< of unfinished_
    std::uint32_t interest = EPOLLIN;  ///< what the loop watches for
    EventLoop::TimerId linger = 0;
    bool paused = false;        ///< too much unread output
    bool owed_drained = false;  ///< notify() refused it
    bool turned_away = false;   ///< only waits for it to read why
    bool touched = false;
    bool waiting = false;
};

Result<std::unique_ptr<Server>> Server::create(EventLoop& loop, ServerSettings settings, ServerHooks hooks) {
    auto listener = Listener::open(settings.path, settings.group);
    if (!listener) return failure(listener.error());
    std::unique_ptr<Server> server(new Server(loop, std::move(settings), std::move(hooks), std::move(*listener)));
    if (auto started = server->acceptor_.start(); !started) return failure(std::move(started.error()));
    return server;
}

Server::Server(EventLoop& loop, ServerSettings settings, ServerHooks hooks, Listener listener)
    : loop_(loop),
      settings_(std::move(settings)),
      hooks_(std::move(hooks)),
      connections_(settings_.limits.connections, ::geteuid()),
      unfinished_(settings_.limits.unfinished_bytes, ::geteuid()),
      acceptor_(loop, std::move(listener), [this](UniqueFd socket) { admit(std::move(socket)); }) {}

Server::~Server() {
    for (const auto& [id, client] : clients_) {
        client->connection.send();
        loop_.remove_fd(client->connection.fd());
        loop_.cancel_timer(client->linger);
    }
}

EventLoop::Callback Server::while_alive(void (Server::*member)()) {
    return [this, member, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) (this->*member)();
    };
}

Server::Client* Server::find(std::uint64_t id) {
    const auto found = clients_.find(id);
    return found == clients_.end() ? nullptr : found->second.get();
}

// ---- coming and going ----

void Server::admit(UniqueFd socket) {
    auto caller = read_peer(socket.get());
    if (!caller) return refuse(socket, caller.error());
    if (!connections_.has_room(caller->uid, 1)) {
        return refuse(socket, retryable_limit("too many connections", std::to_string(connections_.most(caller->uid))));
    }
    auto standing = resolve_standing(*caller, settings_.grants, ::geteuid());
    caller->role = standing.role;
    caller->tenant = std::move(standing.tenant);
    caller->connection = ++last_id_;

    const std::uint64_t id = caller->connection;
    const int fd = socket.get();
    auto client = std::make_unique<Client>(std::move(socket), std::move(*caller));
    const auto watched = loop_.add_fd(fd, client->interest, [this, id](std::uint32_t events) { on_ready(id, events); });
    if (!watched) return spdlog::error("control socket: {}", watched.error().message);
    connections_.take(client->connection.caller().uid, 1);
    clients_.emplace(id, std::move(client));
}

void Server::close(Client& client) {
    const std::uint64_t id = client.connection.caller().connection;
    const uid_t uid = client.connection.caller().uid;
    unfinished_.give_back(uid, client.counted);
    connections_.give_back(uid, 1);
    loop_.remove_fd(client.connection.fd());
    loop_.cancel_timer(client.linger);
    clients_.erase(id);
    if (hooks_.on_closed) hooks_.on_closed(id);
}

void Server::turn_away(Client& client, const Error& why) {
    client.turned_away = true;
    client.connection.input().clear();
    client.connection.queue(error_reply(why));
    // Closing with input unread would reset the connection under a client that is still sending, before it reads why.
    client.linger = loop_.add_timer(settings_.limits.linger, [this, id = client.connection.caller().connection] {
        if (Client* late = find(id)) close(*late);
    });
}

// ---- requests ----

void Server::on_ready(std::uint64_t id, std::uint32_t events) {
    Client* client = find(id);
    if (client == nullptr) return;
    touch(*client);
    Connection& connection = client->connection;
    const bool left = (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (left) connection.peer_left();
    if (client->turned_away) {
        connection.discard();
    } else if ((left || (events & EPOLLIN) != 0) && !connection.input().has_line()) {
        connection.receive();
        serve(*client);
    }
}

bool Server::turn_is_over() const {
    return turn_ends_ && EventLoop::Clock::now() >= *turn_ends_;
}

bool Server::has_work(Client& client) const {
    if (client.turned_away || client.paused) return false;
    LineBuffer& input = client.connection.input();
    return input.has_line() || (client.connection.input_ended() && input.size() > 0);
}

void Server::serve(Client& client) {
    Connection& connection = client.connection;
    const ServerLimits& limits = settings_.limits;
    for (std::size_t served = 0; served < limits.requests_per_turn && has_work(client) && !turn_is_over(); ++served) {
        const auto whole = connection.input().next();
        const auto line =
            whole ? *whole : connection.input().take_rest().value_or("");  // the input ended without newline
        if (line.size() > limits.request_bytes) {
            turn_away(client, refusal(ErrorCode::limit, "request too large", "", std::to_string(line.size()) + " bytes",
                                      std::to_string(limits.request_bytes) + " bytes"));
            break;
        }
        if (const auto reply = hooks_.answer(connection.caller(), line)) connection.queue(*reply);
        client.paused = connection.queued() > limits.queued_bytes;
    }
    check_input(client);
}

void Server::check_input(Client& client) {
    LineBuffer& input = client.connection.input();
    const ServerLimits& limits = settings_.limits;
    const bool unfinished = !client.turned_away && !input.has_line();
    const uid_t uid = client.connection.caller().uid;
    unfinished_.give_back(uid, std::exchange(client.counted, 0));
    if (unfinished && input.size() > limits.request_bytes) {
        turn_away(client, refusal(ErrorCode::limit, "request too large", "",
                                  std::to_string(input.size()) + " bytes without a newline",
                                  std::to_string(limits.request_bytes) + " bytes"));
    } else if (unfinished && !unfinished_.has_room(uid, input.size())) {
        turn_away(client, retryable_limit("too much of unfinished requests, those of other clients included",
                                          std::to_string(unfinished_.most(uid)) + " bytes"));
    }
    client.counted = input.size();
    unfinished_.take(uid, client.counted);
}

void Server::serve_waiting() {
    for (const std::uint64_t id : std::exchange(waiting_, {})) {
        Client* client = find(id);
        if (client == nullptr) continue;
        if (turn_is_over()) {
            waiting_.push_back(id);  // before those that had their turn
            continue;
        }
        client->waiting = false;
        touch(*client);
        serve(*client);
    }
    if (!waiting_.empty()) loop_.post(while_alive(&Server::serve_waiting));
}

bool Server::notify(std::uint64_t connection, std::string_view line) {
    Client* client = find(connection);
    if (client == nullptr || client->turned_away) return true;
    touch(*client);
    if (client->connection.queued() + line.size() > settings_.limits.queued_bytes) {
        client->owed_drained = true;
        return false;
    }
    client->connection.queue(line);
    return true;
}

// ---- the end of a turn ----

void Server::touch(Client& client) {
    if (client.touched) return;
    client.touched = true;
    if (touched_.empty()) {
        loop_.defer(while_alive(&Server::finish_turn));
        turn_ends_ = EventLoop::Clock::now() + settings_.limits.turn;
    }
    touched_.push_back(client.connection.caller().connection);
}

void Server::finish_turn() {
    turn_ends_.reset();
    for (const std::uint64_t id : std::exchange(touched_, {})) {
        Client* client = find(id);
        if (client == nullptr) continue;
        client->touched = false;
        settle(*client);
    }
}

/// Sends, and decides how the connection goes on.
void Server::settle(Client& client) {
    Connection& connection = client.connection;
    const std::uint64_t id = connection.caller().connection;
    connection.send();
    const bool drained = connection.queued() <= settings_.limits.queued_bytes / 2;
    if (drained) client.paused = false;
    if (drained && std::exchange(client.owed_drained, false) && hooks_.on_drained) hooks_.on_drained(id);

    const bool idle = connection.queued() == 0 && (client.turned_away || !has_work(client));
    if (idle && connection.input_ended()) return close(client);
    if (idle && client.turned_away) connection.end_output();
    if (has_work(client) && !std::exchange(client.waiting, true)) {
        if (waiting_.empty()) loop_.post(while_alive(&Server::serve_waiting));
        waiting_.push_back(id);
    }
    watch(client);
}

void Server::watch(Client& client) {
    Connection& connection = client.connection;
    // A client whose requests wait is not read from: its own socket buffer then holds it back.
    const bool reads = !connection.input_ended() && !client.paused && !connection.input().has_line();
    const std::uint32_t interest = (reads ? EPOLLIN : 0U) | (connection.queued() > 0 ? EPOLLOUT : 0U);
    if (interest == client.interest) return;
    client.interest = interest;
    std::ignore = loop_.modify_fd(connection.fd(), interest);
}

}  // namespace bulkhead::rpc
