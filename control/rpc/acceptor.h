// SPDX-License-Identifier: Apache-2.0
// Takes connections off a listener, and stays able to say no when the process has no descriptor left. Everything is
// called by the loop's thread.
#pragma once

#include <functional>
#include <memory>

#include "control/rpc/listener.h"
#include "vswitch/base/event_loop.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

/// One error line to a client that is not admitted. It fits a fresh socket's buffer, so nothing waits.
void refuse(const UniqueFd& socket, const Error& why);

/// A refusal that says to come back later.
[[nodiscard]] Error retryable_limit(std::string message, std::string allowed);

class Acceptor {
  public:
    /// `admit` gets each new connection, non-blocking.
    Acceptor(EventLoop& loop, Listener listener, std::function<void(UniqueFd)> admit);
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;
    ~Acceptor();

    Result<> start();

  private:
    void accept();
    void shed_one();

    EventLoop& loop_;
    Listener listener_;
    std::function<void(UniqueFd)> admit_;
    UniqueFd spare_;  ///< given up for a moment to turn a client away when the process has no descriptor left
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);  ///< for a timer that outlives us
};

}  // namespace bulkhead::rpc
