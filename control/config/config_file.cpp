// SPDX-License-Identifier: Apache-2.0
#include "control/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "control/config/object_reader.h"
#include "control/config/text_position.h"
#include "vswitch/model/checks.h"
#include "vswitch/model/validate.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

Error at_place(Error error, std::string_view name, TextPosition place) {
    error.message.insert(
        0, std::string(name) + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ");
    return error;
}

// JSON lets a key come twice and parsers take the last: an easy way to lose half a file.
class DuplicateKeys {
  public:
    bool operator()(int /*depth*/, json::parse_event_t event, json& parsed) {
        if (event == json::parse_event_t::object_start) {
            open_.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            open_.pop_back();
        } else if (event == json::parse_event_t::key) {
            const auto& key = parsed.get_ref<const std::string&>();
            if (!open_.back().insert(key).second && duplicate_.empty()) duplicate_ = key;
        }
        return true;
    }
    [[nodiscard]] const std::string& duplicate() const { return duplicate_; }

  private:
    std::vector<std::set<std::string>> open_;
    std::string duplicate_;
};

Result<json> parse(std::string_view text, std::string_view name) {
    DuplicateKeys keys;
    try {
        json parsed = json::parse(text, std::ref(keys));
        if (!keys.duplicate().empty()) {
            Error error = invalid("", "the key " + in_quotes(keys.duplicate()) + " is in one object twice").error();
            error.code = ErrorCode::parse_error;
            error.message.insert(0, std::string(name) + ": ");
            return failure(std::move(error));
        }
        return parsed;
    } catch (const json::parse_error& broken) {
        Error error;
        error.code = ErrorCode::parse_error;
        error.message = broken.what();
        // "[json.exception.parse_error.101] parse error at line 1, column 2: …": only the end is for people.
        if (auto colon = error.message.find(": "); colon != std::string::npos) error.message.erase(0, colon + 2);
        const std::size_t offset = broken.byte > 0 ? broken.byte - 1 : 0;
        return failure(at_place(std::move(error), name, position_of_offset(text, offset)));
    }
}

}  // namespace

Result<ConfigDocument> read_config_text(std::string_view text, std::string_view name, FileCheck check) {
    auto parsed = parse(text, name);
    if (!parsed) return failure(std::move(parsed.error()));
    auto refuse = [&](Error error) {
        const TextPosition place = position_of_pointer(text, error.field);
        if (!error.field.empty()) error.message.insert(0, error.field + ": ");
        return failure(at_place(std::move(error), name, place));
    };
    auto document = decode_document(*parsed, kFileOwner);
    if (!document) return refuse(std::move(document.error()));
    if (check == FileCheck::objects) return document;
    if (auto ok = validate(document->model); !ok) return refuse(locate(std::move(ok.error()), *parsed));
    return document;
}

Result<ConfigDocument> load_config_file(const std::filesystem::path& path, FileCheck check) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) {
        Error error;
        error.code = ErrorCode::not_found;
        error.message = path.string() + ": can't be read: " + std::strerror(errno);
        return failure(std::move(error));
    }
    return read_config_text(text.str(), path.string(), check);
}

}  // namespace bulkhead::config
