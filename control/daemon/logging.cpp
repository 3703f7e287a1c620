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

// A pattern can't do this: a message may hold what JSON must escape.
class JsonFormatter : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
        const auto level = spdlog::level::to_string_view(message.level);
        const nlohmann::json entry = {
            {"time", rpc::rfc3339(std::chrono::time_point_cast<std::chrono::system_clock::duration>(message.time))},
            {"level", std::string(level.data(), level.size())},
            {"message", std::string(message.payload.data(), message.payload.size())}};
        const std::string text = entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        line.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>();
    }
};

}  // namespace

void start_logging(const std::string& level, bool as_json) {
    auto logger = std::make_shared<spdlog::logger>("bulkheadd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    if (as_json) {
        logger->set_formatter(std::make_unique<JsonFormatter>());
    } else {
        logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
    logger->set_level(spdlog::level::from_str(level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace bulkhead::daemon
