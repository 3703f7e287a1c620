// SPDX-License-Identifier: Apache-2.0
#include "control/cli/session.h"

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "control/cli/error_text.h"

namespace bulkhead::cli {

int report(const Session& session, const UsageError& error) {
    session.err << "bulkheadctl: " << error.message << "\n";
    return kWrongUsage;
}

int report(const Session& session, const api::CallFailure& failure, std::string_view method,
           const nlohmann::json& params) {
    if (failure.kind == api::CallFailure::Kind::unreachable) {
        session.err << "bulkheadctl: " << failure.message << "\n";
        return kNoConnection;
    }
    session.err << "bulkheadctl: " << error_text(failure.error, method, params) << "\n";
    return kRefused;
}

void print_json(const Session& session, const nlohmann::json& value) {
    constexpr int kOneLine = -1, kIndented = 2;
    const int indent = session.is_terminal ? kIndented : kOneLine;
    session.out << value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) << "\n" << std::flush;
}

std::expected<std::string, std::string> read_text(const std::string& path) {
    if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad() || errno == EISDIR)
        return std::unexpected("\"" + path + "\": " + std::generic_category().message(errno));
    return text;
}

}  // namespace bulkhead::cli
