// SPDX-License-Identifier: Apache-2.0
// Short ways to write an Error.
#pragma once

#include <string>
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

}  // namespace bulkhead::rpc
