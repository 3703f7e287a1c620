// SPDX-License-Identifier: Apache-2.0
// Short ways to write an Error.
#pragma once

#include <string>
#include <system_error>
#include <utility>

#include "vswitch/base/result.h"

namespace bulkhead::rpc {

inline Error refusal(ErrorCode code, std::string message, std::string field = {}, std::string got = {},
                     std::string allowed = {}) {
    Error error;
    error.code = code;
    error.message = std::move(message);
    error.field = std::move(field);
    error.got = std::move(got);
    error.allowed = std::move(allowed);
    return error;
}

/// A refusal by the operating system: what was tried (naming the path), and the text of `errno_value`.
inline std::unexpected<Error> system_failure(const std::string& what, int errno_value,
                                             ErrorCode code = ErrorCode::internal) {
    return failure(refusal(code, what + ": " + std::generic_category().message(errno_value)));
}

}  // namespace bulkhead::rpc
