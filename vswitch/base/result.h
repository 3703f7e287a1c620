// SPDX-License-Identifier: Apache-2.0
// How the control path says "no": a value, never an exception. The data path does not use it.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace bulkhead {

/// The stable error codes of docs/api.md; the values are those on the wire (JSON-RPC 2.0, section 5.1, and our own).
enum class ErrorCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal = -32603,
    not_found = -32001,
    exists = -32002,
    conflict = -32003,
    in_use = -32004,
    limit = -32005,
    denied = -32006,
    not_ready = -32007,
    not_built_in = -32008,
    device_failed = -32009,
};

/// One refusal. `field` is a JSON pointer (RFC 6901) relative to the object named by `object_kind` ("segment", "port",
/// …) and `object_name`, or to the whole parameters when `object_kind` is empty. `got` and `allowed` are for people.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;
    std::string field;
    std::string got;
    std::string allowed;
    bool retryable = false;
    std::string object_kind;
    std::string object_name;
};

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> failure(Error error) {
    return std::unexpected<Error>(std::move(error));
}

/// The commonest refusal: a field holds something that is not allowed there.
inline std::unexpected<Error> invalid(std::string field, std::string message, std::string got = {},
                                      std::string allowed = {}) {
    return failure({.code = ErrorCode::invalid_params,
                    .message = std::move(message),
                    .field = std::move(field),
                    .got = std::move(got),
                    .allowed = std::move(allowed)});
}

}  // namespace bulkhead
