// SPDX-License-Identifier: Apache-2.0
// A switch that answers from a script, on a Unix socket in a folder of its own, and remembers what it was asked.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

namespace bulkhead::cli {

class FakeSwitch {
  public:
    /// From the parameters to `{"result": …}` or `{"error": …}`; null: no answer at all.
    using Answer = std::function<nlohmann::json(const nlohmann::json& params)>;

    explicit FakeSwitch(std::map<std::string, Answer> answers);
    ~FakeSwitch();
    FakeSwitch(const FakeSwitch&) = delete;
    FakeSwitch& operator=(const FakeSwitch&) = delete;

    /// Lines sent after the answer to events.subscribe; then the connection is ended.
    void set_events(std::vector<nlohmann::json> notifications) { events_ = std::move(notifications); }

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::vector<nlohmann::json> requests() const;  ///< in order

  private:
    void serve();
    void serve_connection(int connection);
    bool answer(int connection, const std::string& line);

    std::map<std::string, Answer> answers_;
    std::vector<nlohmann::json> events_;
    std::string folder_, path_;
    int listener_ = -1, end_ = -1;  ///< `end_`: an eventfd, readable when the server is to end
    mutable std::mutex mutex_;
    std::vector<nlohmann::json> requests_;  ///< guarded by mutex_
    std::thread thread_;
};

[[nodiscard]] nlohmann::json result(nlohmann::json value);

}  // namespace bulkhead::cli
