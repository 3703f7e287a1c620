// SPDX-License-Identifier: Apache-2.0
// One connection to the switch: JSON-RPC 2.0, one object a line, over a Unix stream socket (docs/api.md).
#pragma once

#include <chrono>
#include <deque>
#include <expected>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace bulkhead::api {

/// Why a call gave no result.
struct CallFailure {
    enum class Kind : unsigned char {
        unreachable,  ///< no connection, a broken one, no answer in time: `message` says it
        refused,      ///< the switch said no: `error` is its JSON-RPC error object
    };
    Kind kind = Kind::unreachable;
    std::string message;
    nlohmann::json error;
};

template <typename T = nlohmann::json>
using CallResult = std::expected<T, CallFailure>;

/// Not thread-safe: one connection, one caller.
class Client {
  public:
    /// `timeout` is for connecting, and later for the answer to each call.
    static CallResult<Client> connect(const std::string& path, std::chrono::milliseconds timeout);
    ~Client();
    Client(Client&& other) noexcept;
    Client& operator=(Client&&) = delete;

    CallResult<> call(const std::string& method, const nlohmann::json& params);

    /// The next notification `{"method", "params"}`; waits for it as long as it takes.
    CallResult<> wait_notification();

  private:
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;  ///< none: for ever

    Client(int socket, std::string path, std::chrono::milliseconds timeout);
    CallResult<void> send_line(const std::string& line);
    CallResult<> receive_message(const Deadline& deadline);
    CallResult<void> receive_more(const Deadline& deadline);

    int socket_;
    std::string path_;
    std::chrono::milliseconds timeout_;
    std::int64_t last_id_ = 0;
    std::string received_;      ///< bytes not yet taken apart into lines
    std::size_t searched_ = 0;  ///< of them, those known to hold no newline
    std::deque<nlohmann::json> notifications_;
};

}  // namespace bulkhead::api
