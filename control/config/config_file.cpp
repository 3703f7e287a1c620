// SPDX-License-Identifier: Apache-2.0
#include "control/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "control/config/object_reader.h"
#include "control/config/text_position.h"
#include "control/rpc/json_rpc.h"
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

Result<json> parse(std::string_view text, std::string_view name) {
    auto parsed = rpc::parse_json(text);
    if (parsed) return parsed;
    Error error = std::move(parsed.error());
    const auto place = position_of_flaw(text);
    if (!place) {  // a key that comes twice, or too deep a nesting
        error.message.insert(0, std::string(name) + ": ");
        return failure(std::move(error));
    }
    // The parser tells line and column in its own way; ours stand in front.
    constexpr std::string_view kItsPlace = "parse error at ";
    if (const auto at = error.message.find(kItsPlace); at != std::string::npos)
        error.message.erase(at, error.message.find(": ", at) + 2 - at);
    return failure(at_place(std::move(error), name, *place));
}

// What config.get shows has the owners that objects have at run time; in a file they would be lost, or be another's.
Result<> check_owners(const json& document) {
    for (const char* array : {"segments", "ports", "underlays", "tunnels", "fdb"}) {
        if (!document.contains(array)) continue;
        for (std::size_t i = 0; i < document[array].size(); ++i) {
            const json& object = document[array][i];
            if (!object.contains("owner") || object["owner"] == kFileOwner) continue;
            return refused(pointer_token(array) + "/" + std::to_string(i) + "/owner",
                           "is none that the file's objects can have: leave owner out", shown(object["owner"]),
                           "\"file\", or no owner");
        }
    }
    return {};
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
    if (auto ok = check_owners(*parsed); !ok) return refuse(std::move(ok.error()));
    if (check == FileCheck::objects) return document;
    if (auto ok = validate(document->model); !ok) return refuse(locate(std::move(ok.error()), *parsed));
    return document;
}

Result<ConfigDocument> load_config_file(const std::filesystem::path& path, FileCheck check) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    // Of an empty file nothing can be inserted, which counts as a failure of `text`; what is wrong the parser says.
    if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
    if (!file.is_open() || file.bad() || !text) {
        Error error;
        error.code = ErrorCode::not_found;
        error.message = path.string() + ": can't be read: " + std::strerror(errno);
        return failure(std::move(error));
    }
    return read_config_text(text.str(), path.string(), check);
}

}  // namespace bulkhead::config
