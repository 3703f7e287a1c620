// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/logging.h"

#include <memory>

#include <nlohmann/json.hpp>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "control/rpc/rfc3339.h"

namespace bulkhead::daemon {
namespace {

using nlohmann::json;

/// Of the logger that there is for events if lines are JSON.
constexpr const char* kEvents = "events";

std::string dump(const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

// A pattern can't do this: a message may hold what JSON must escape.
class JsonFormatter : public spdlog::formatter {
  public:
    /// `for_events`: a message is an object with `message` and `event` already.
    explicit JsonFormatter(bool for_events) : for_events_(for_events) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        const auto level = spdlog::level::to_string_view(message.level);
        std::string payload(message.payload.data(), message.payload.size());
        json entry = for_events_ ? json::parse(payload) : json{{"message", std::move(payload)}};
        entry["time"] = rpc::rfc3339(std::chrono::time_point_cast<std::chrono::system_clock::duration>(message.time));
        entry["level"] = std::string(level.data(), level.size());
        const std::string text = dump(entry) + "\n";
        line.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>(for_events_);
    }

  private:
    bool for_events_;
};

std::shared_ptr<spdlog::logger> logger_of(const std::string& name, const std::string& level) {
    auto logger = std::make_shared<spdlog::logger>(name, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::trace);
    return logger;
}

}  // namespace

void start_logging(const std::string& level, bool as_json) {
    auto logger = logger_of("bulkheadd", level);
    if (as_json) {
        logger->set_formatter(std::make_unique<JsonFormatter>(false));
        auto events = logger_of(kEvents, level);
        events->set_formatter(std::make_unique<JsonFormatter>(true));
        spdlog::register_logger(std::move(events));
    } else {
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
    spdlog::set_default_logger(std::move(logger));
}

void log_event(const std::string& kind, const json& fields) {
    if (const auto events = spdlog::get(kEvents); events != nullptr)
        events->info("{}", dump({{"message", kind}, {"event", fields}}));
    else
        spdlog::info("{} {}", kind, dump(fields));
}

}  // namespace bulkhead::daemon
