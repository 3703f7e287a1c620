// SPDX-License-Identifier: Apache-2.0
#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

bool continues_code_point(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

std::string joined(const nlohmann::json& list) {
    std::string text;
    for (const auto& element : list) {
        if (!text.empty()) text += ", ";
        text += one_line(element);
    }
    return text;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string safe;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        // C1 controls are U+0080-U+009F, in UTF-8 c2 80 - c2 9f.
        const bool is_c1 = byte == 0xc2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xa0;
        if (is_c1) ++at;
        safe += is_c1 || byte < 0x20 || byte == 0x7f ? '?' : text[at];
    }
    return safe;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (const char byte : text)
        if (!continues_code_point(byte)) ++width;
    return width;
}

std::string shortened(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::size_t at = 0;
    for (std::size_t columns = 0; at < text.size(); ++at)
        if (!continues_code_point(text[at]) && columns++ == width - 1) break;
    return std::string(text.substr(0, at)) + "…";
}

std::string one_line(const nlohmann::json& value) {
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (value.is_null()) return "-";
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        return text.empty() ? "-" : printable(text);
    }
    if (value.is_structured() && value.empty()) return "-";
    if (value.is_array()) return joined(value);
    return printable(value.dump());
}

std::string concat(std::initializer_list<std::string_view> parts) {
    std::string whole;
    for (const auto part : parts) whole.append(part);
    return whole;
}

std::string spoken(std::string_view method_name) {
    std::string words(method_name);
    if (const auto dot = words.find('.'); dot != std::string::npos) words[dot] = ' ';
    return words;
}

}  // namespace bulkhead::cli
