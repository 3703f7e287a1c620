// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "control/rpc/caller.h"
#include "control/rpc/line_buffer.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::rpc {

/// One client's socket with what came in and what waits to go out. Never blocks, and decides nothing: the server does.
class Connection {
  public:
    Connection(UniqueFd socket, Caller caller) : socket_(std::move(socket)), caller_(std::move(caller)) {}

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] const Caller& caller() const { return caller_; }
    [[nodiscard]] LineBuffer& input() { return input_; }

    void receive();  ///< reads once, a bounded amount
    void discard();  ///< reads once and forgets it
    [[nodiscard]] bool input_ended() const { return input_ended_; }

    void queue(std::string_view line);  ///< adds the newline; forgotten when the peer has left
    void send();                        ///< as much as the socket takes now
    void end_output();                  ///< the peer reads to the end of what was sent, then gets end of file
    [[nodiscard]] std::size_t queued() const { return output_.size() - sent_; }

    /// The peer reads no more: what is queued is dropped. What it sent before it left can still be received.
    void peer_left();

  private:
    void drop_output();
    std::string_view read_once();

    UniqueFd socket_;
    Caller caller_;
    LineBuffer input_;
    std::string output_;
    std::size_t sent_ = 0;
    bool input_ended_ = false;
    bool output_ended_ = false;
};

}  // namespace bulkhead::rpc
