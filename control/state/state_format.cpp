// SPDX-License-Identifier: Apache-2.0
#include "control/state/state_format.h"

#include <cstdio>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "control/rpc/refusal.h"

namespace bulkhead {
namespace {

using nlohmann::json;

constexpr std::uint64_t kFormat = 1;
constexpr std::size_t kMaxHeader = 256;

std::string header_start(std::uint64_t generation, std::size_t length) {
    return R"({"format":)" + std::to_string(kFormat) + R"(,"generation":)" + std::to_string(generation) +
           R"(,"length":)" + std::to_string(length);
}

std::string checksum_of(std::string_view start, std::string_view body) {
    const auto bytes = [](std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); };
    uLong crc = ::crc32_z(0, bytes(start), start.size());
    crc = ::crc32_z(crc, bytes(body), body.size());
    char text[9];
    std::snprintf(text, sizeof text, "%08lx", crc);
    return text;
}

/// The whole header for this generation and body, newline included.
std::string header_for(std::uint64_t generation, std::string_view body) {
    std::string header = header_start(generation, body.size());
    header += R"(,"crc32":")" + checksum_of(header, body) + "\"}\n";
    return header;
}

std::unexpected<Error> damaged(std::string why) {
    return failure(rpc::refusal(ErrorCode::internal, std::move(why)));
}

}  // namespace

std::string encode_state(std::uint64_t generation, std::string_view body) {
    return header_for(generation, body).append(body);
}

Result<SavedState> decode_state(std::string_view content) {
    const auto newline = content.substr(0, kMaxHeader).find('\n');
    if (newline == std::string_view::npos) return damaged(content.empty() ? "it is empty" : "its header has no end");
    const std::string_view header = content.substr(0, newline + 1), body = content.substr(newline + 1);

    const json fields = json::parse(header, nullptr, false);
    const auto number = [&](const char* name) {
        return fields.is_object() && fields.contains(name) && fields[name].is_number_unsigned();
    };
    if (!number("format") || fields["format"] < kFormat) return damaged("its first line is not a header");
    if (fields["format"] > kFormat) {
        return failure(rpc::refusal(ErrorCode::not_built_in, "was written by a newer bulkheadd: format " +
                                                                 fields["format"].dump() + ", this one reads " +
                                                                 std::to_string(kFormat)));
    }
    if (!number("generation") || !number("length")) return damaged("its header is incomplete");
    if (fields["length"] != body.size()) {
        return damaged("its body has " + std::to_string(body.size()) + " bytes of " + fields["length"].dump());
    }
    const auto generation = fields["generation"].get<std::uint64_t>();
    // There is one way to write a header, so that comparing it whole leaves no bit of it unchecked.
    if (header != header_for(generation, body)) return damaged("its checksum does not match");
    return SavedState{.generation = generation, .body = std::string(body)};
}

}  // namespace bulkhead
