// SPDX-License-Identifier: Apache-2.0
#include "control/config/text_position.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace bulkhead::config {
namespace {

// Walks a text that is known to be valid JSON; that is why it checks so little.
class Walker {
  public:
    explicit Walker(std::string_view text) : text_(text) { skip_space(); }

    [[nodiscard]] std::size_t offset() const { return at_; }
    [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    /// Moves from the start of an object or array to the member's value; false leaves it where it is.
    bool enter(const std::string& token) {
        const std::size_t start = at_;
        const bool is_object = peek() == '{';
        if (!is_object && peek() != '[') return false;
        step();
        for (std::size_t index = 0; peek() != '}' && peek() != ']' && peek() != '\0'; ++index) {
            std::string key = is_object ? take_key() : std::to_string(index);
            if (key == token) return true;
            skip_value();
            if (peek() == ',') step();
        }
        at_ = start;
        return false;
    }

  private:
    void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    void step() {
        ++at_;
        skip_space();
    }
    std::string_view take_string() {
        const std::size_t start = at_++;
        while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        ++at_;
        std::string_view taken = text_.substr(start, at_ - start);
        skip_space();
        return taken;
    }
    std::string take_key() {
        std::string key = nlohmann::json::parse(take_string()).get<std::string>();
        step();  // the colon
        return key;
    }
    void skip_value() {
        std::size_t depth = 0;
        do {
            const char c = peek();
            if (c == '"') {
                take_string();
            } else if (c == '{' || c == '[') {
                ++depth;
                step();
            } else if (c == '}' || c == ']') {
                --depth;
                step();
            } else if (c == ',' || c == ':') {
                step();
            } else {
                at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
                skip_space();
            }
        } while (depth > 0 && at_ < text_.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// Wants nothing but to know where the parser gives up.
class FlawFinder : public nlohmann::json_sax<nlohmann::json> {
  public:
    std::optional<std::size_t> offset;

    bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception& why) override {
        // A syntax error is noticed at its character, a number out of range behind its last.
        const bool is_number = dynamic_cast<const nlohmann::json::out_of_range*>(&why) != nullptr;
        const std::size_t back = is_number ? token.size() : 1;
        offset = position - std::min(position, back);
        return false;
    }
    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_object(std::size_t /*size*/) override { return true; }
    bool key(string_t& /*value*/) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t /*size*/) override { return true; }
    bool end_array() override { return true; }
};

std::string unescaped(std::string_view token) {
    std::string result;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            result += token[++i] == '0' ? '~' : '/';
        } else {
            result += token[i];
        }
    }
    return result;
}

}  // namespace

TextPosition position_of_offset(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const std::size_t newline = before.rfind('\n');
    return {.line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1,
            .column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1};
}

std::optional<TextPosition> position_of_flaw(std::string_view text) {
    FlawFinder finder;
    if (nlohmann::json::sax_parse(text, &finder) || !finder.offset) return std::nullopt;
    return position_of_offset(text, *finder.offset);
}

TextPosition position_of_pointer(std::string_view text, std::string_view pointer) {
    Walker walker(text);
    while (pointer.starts_with('/')) {
        pointer.remove_prefix(1);
        const std::string_view token = pointer.substr(0, pointer.find('/'));
        if (!walker.enter(unescaped(token))) break;
        pointer.remove_prefix(token.size());
    }
    return position_of_offset(text, walker.offset());
}

}  // namespace bulkhead::config
