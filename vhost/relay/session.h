// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "vhost/relay/inspector.h"
#include "vhost/relay/library_connection.h"
#include "vhost/relay/message_socket.h"
#include "vswitch/base/event_loop.h"
#include "vswitch/base/token_bucket.h"

namespace bulkhead::vhost {

/// One guest's connection, from its socket to librte_vhost and back: what it says is passed on when it is whole and
/// without objection (Inspector), and no faster than kPerSecond.
///
/// One thread, that of the loop.
class Session {
  public:
    /// Says why the session is over. The session may be destroyed by it.
    using End = std::function<void(const std::string& why)>;

    /// A guest that starts sends some ten messages a queue pair, at once.
    static constexpr std::uint32_t kBurst = 2000, kPerSecond = 500;

    Session(EventLoop& loop, UniqueFd guest, std::unique_ptr<LibraryConnection> library, std::uint16_t queue_pairs,
            End end);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// The guest has asked for features and has chosen none.
    [[nodiscard]] bool was_offer_declined() const { return has_made_offer_ && !inspector_.features(); }

  private:
    void serve();
    bool serve_guest();
    bool serve_library();
    bool pass_on(Message message);
    void watch();
    void watch(const MessageSocket& socket, std::uint32_t& watched, std::uint32_t wanted);
    bool over(const std::string& why);

    EventLoop& loop_;
    MessageSocket guest_;
    std::unique_ptr<LibraryConnection> connection_;
    MessageSocket library_;
    std::uint32_t guest_watched_ = 0, library_watched_ = 0;  ///< epoll's events
    const std::uint16_t queue_pairs_;
    const End end_;
    Inspector inspector_;
    bool has_made_offer_ = false;
    TokenBucket pace_{kPerSecond, kBurst};
    EventLoop::TimerId rest_ = 0;  ///< while the guest has said more than it may
};

}  // namespace bulkhead::vhost
