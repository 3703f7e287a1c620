// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

namespace bulkhead::rpc {

/// RFC 3339 in UTC with milliseconds: "2025-01-31T12:00:00.123Z".
inline std::string rfc3339(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto fraction = static_cast<int>(duration_cast<milliseconds>(time - whole).count());
    const std::time_t epoch = system_clock::to_time_t(whole);
    std::tm utc{};
    gmtime_r(&epoch, &utc);
    char date[32], text[48];
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text, sizeof text, "%s.%03dZ", date, fraction);
    return text;
}

}  // namespace bulkhead::rpc
