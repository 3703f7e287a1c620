// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <system_error>

#include "vswitch/base/result.h"

namespace bulkhead {

/// A refusal by the operating system: what was tried (naming the path), and the text of `errno_value`.
inline std::unexpected<Error> system_failure(const std::string& what, int errno_value,
                                             ErrorCode code = ErrorCode::internal) {
    Error error;
    error.code = code;
    error.message = what + ": " + std::generic_category().message(errno_value);
    return failure(std::move(error));
}

}  // namespace bulkhead
