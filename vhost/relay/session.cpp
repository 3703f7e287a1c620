// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/session.h"

#include <chrono>
#include <sys/epoll.h>
#include <tuple>
#include <utility>

namespace bulkhead::vhost {
namespace {

constexpr int kMessagesPerTurn = 32;
constexpr std::chrono::milliseconds kRest{20};

}  // namespace

Session::Session(EventLoop& loop, UniqueFd guest, std::unique_ptr<LibraryConnection> library, std::uint16_t queue_pairs,
                 End end)
    : loop_(loop),
      guest_(std::move(guest)),
      connection_(std::move(library)),
      library_(connection_->take_socket()),
      queue_pairs_(queue_pairs),
      end_(std::move(end)),
      inspector_(queue_pairs) {
    watch();
}

Session::~Session() {
    loop_.remove_fd(guest_.fd());
    loop_.remove_fd(library_.fd());
    loop_.cancel_timer(rest_);
}

void Session::serve() {
    // What librte_vhost has said first: when it has closed, the guest should get its last reply.
    if (!guest_.flush() || !library_.flush()) return std::ignore = over("it has gone"), void();
    if (serve_library() && serve_guest()) watch();
}

bool Session::serve_library() {
    while (!guest_.has_unsent()) {
        auto read = library_.read();
        if (!read) return over("librte_vhost refused what it said");
        if (!*read) return true;
        Message& reply = **read;
        // librte_vhost 22.11 always answers 128; a guest that used more than we poll would lose what it hashes there.
        if (reply.request() == Request::get_queue_num && reply.payload.size() == sizeof(std::uint64_t)) {
            const std::uint64_t pairs = queue_pairs_;
            std::memcpy(reply.payload.data(), &pairs, sizeof pairs);
        }
        has_made_offer_ |= reply.request() == Request::get_features;
        if (!guest_.write(std::move(reply))) return over("it has gone");
    }
    return true;
}

bool Session::serve_guest() {
    if (rest_ != 0) return true;
    for (int served = 0; served < kMessagesPerTurn && !guest_.has_unsent() && !library_.has_unsent(); ++served) {
        auto read = guest_.read();
        if (!read) return over(read.error());
        if (!*read) return true;
        if (!pass_on(std::move(**read))) return false;
        if (pace_.take(EventLoop::now_ms())) continue;
        rest_ = loop_.add_timer(kRest, [this] {
            rest_ = 0;
            serve();
        });
        return true;
    }
    return true;
}

bool Session::pass_on(Message message) {
    if (const auto objection = inspector_.objection_to(message)) return over("it sent " + *objection);
    if (message.request() == Request::reset_owner) return true;
    return library_.write(std::move(message)) || over("librte_vhost refused what it said");
}

void Session::watch() {
    // Whoever does not read is not read from, so that nothing piles up here.
    const bool guest_lags = guest_.has_unsent(), library_lags = library_.has_unsent();
    const bool listens = !guest_lags && !library_lags && rest_ == 0;
    watch(guest_, guest_watched_, (listens ? EPOLLIN : 0U) | (guest_lags ? EPOLLOUT : 0U));
    watch(library_, library_watched_, (guest_lags ? 0U : EPOLLIN) | (library_lags ? EPOLLOUT : 0U));
}

void Session::watch(const MessageSocket& socket, std::uint32_t& watched, std::uint32_t wanted) {
    if (std::exchange(watched, wanted) == wanted) return;
    // Not with no events: epoll would still tell, again and again, that the other end has hung up.
    loop_.remove_fd(socket.fd());
    if (wanted != 0) std::ignore = loop_.add_fd(socket.fd(), wanted, [this](std::uint32_t) { serve(); });
}

bool Session::over(const std::string& why) {
    const End end = end_;  // outlives the session
    end(why);
    return false;
}

}  // namespace bulkhead::vhost
