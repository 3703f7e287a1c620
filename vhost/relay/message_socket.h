// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "vhost/relay/message.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// One end of a vhost-user connection. Never waits: a message that has come in part is kept until the rest is there,
/// one that the other end does not take yet until it does. So a peer that sends half a message, or reads nothing, holds
/// up nobody.
class MessageSocket {
  public:
    explicit MessageSocket(UniqueFd socket) : socket_(std::move(socket)) {}

    /// The next message, if a whole one is there. An error says, for people, why no more will come.
    [[nodiscard]] std::expected<std::optional<Message>, std::string> read();

    /// Not while has_unsent(). False: the other end has gone.
    [[nodiscard]] bool write(Message message);
    [[nodiscard]] bool flush();  ///< goes on with it; false: the other end has gone
    [[nodiscard]] bool has_unsent() const { return unsent_.has_value(); }

    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    struct Unsent {
        std::vector<std::byte> bytes;
        std::size_t sent;
        std::vector<UniqueFd> descriptors;  ///< go with the first byte
    };

    [[nodiscard]] std::size_t wanted() const;

    UniqueFd socket_;
    std::vector<std::byte> read_;  ///< of the message that is coming
    std::vector<UniqueFd> descriptors_;
    std::optional<Unsent> unsent_;
};

}  // namespace bulkhead::vhost
