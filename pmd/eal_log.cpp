// SPDX-License-Identifier: Apache-2.0
#include "pmd/eal_log.h"

#include <cstdio>
#include <mutex>
#include <string_view>

#include <rte_log.h>
#include <spdlog/spdlog.h>

namespace bulkhead {
namespace {

struct FirstError {
    std::mutex mutex;
    std::string text;
};

FirstError& first_error() {
    static FirstError instance;
    return instance;
}

spdlog::level::level_enum our_level(int level) {
    if (level <= static_cast<int>(RTE_LOG_ERR)) return spdlog::level::warn;
    if (level == static_cast<int>(RTE_LOG_WARNING)) return spdlog::level::info;
    if (level <= static_cast<int>(RTE_LOG_INFO)) return spdlog::level::debug;
    return spdlog::level::trace;
}

ssize_t write_line(void* /*cookie*/, const char* text, std::size_t size) {
    std::string_view line(text, size);
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty()) return static_cast<ssize_t>(size);
    const int level = rte_log_cur_msg_loglevel();
    if (level <= static_cast<int>(RTE_LOG_ERR)) {
        const std::scoped_lock lock(first_error().mutex);
        if (first_error().text.empty()) first_error().text = line;
    }
    spdlog::log(our_level(level), "dpdk: {}", line);
    return static_cast<ssize_t>(size);
}

}  // namespace

void redirect_eal_log() {
    cookie_io_functions_t functions{};
    functions.write = write_line;
    // Never closed: DPDK logs until the process ends.
    static FILE* const stream = fopencookie(nullptr, "w", functions);
    if (stream != nullptr) rte_openlog_stream(stream);
}

std::string first_eal_error() {
    const std::scoped_lock lock(first_error().mutex);
    return first_error().text;
}

void forget_eal_errors() {
    const std::scoped_lock lock(first_error().mutex);
    first_error().text.clear();
}

}  // namespace bulkhead
