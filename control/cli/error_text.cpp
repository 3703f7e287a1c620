// SPDX-License-Identifier: Apache-2.0
#include "control/cli/error_text.h"

#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

/// `port "x"` for port.add {"name": "x"}; else the words of the command.
std::string subject_of(std::string_view method, const json& params) {
    const bool has_name = params.is_object() && params.contains("name") && params.at("name").is_string();
    if (!has_name) return spoken(method);
    return std::string(method.substr(0, method.find('.'))) + " \"" + params.at("name").get<std::string>() + "\"";
}

std::string text_of(const json& data, const char* key) {
    return data.is_object() && data.contains(key) ? one_line(data.at(key)) : std::string();
}

}  // namespace

std::string error_text(const json& error, std::string_view method, const json& params) {
    const json data = error.is_object() ? error.value("data", json::object()) : json::object();
    const std::string message = error.is_object() ? one_line(error.value("message", json("refused"))) : "refused";
    const std::string subject = printable(subject_of(method, params));
    const std::string field = text_of(data, "field"), got = text_of(data, "got"), allowed = text_of(data, "allowed");

    std::string text;
    if (!message.starts_with(subject)) text.append(subject).append(": ");
    if (!field.empty()) text.append(field).append(": ");
    text.append(message);
    if (!got.empty()) text.append("; got ").append(got);
    if (!allowed.empty()) text.append("; allowed ").append(allowed);
    if (data.is_object() && data.value("retryable", json(false)) == true) text.append(" (try again)");
    return text;
}

}  // namespace bulkhead::cli
