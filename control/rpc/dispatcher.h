// SPDX-License-Identifier: Apache-2.0
// From a method's name to its handler, by the rows of the method table: whether there is such a method, whether this
// caller may call it, whether it is built in yet, whether the parameters are those of the row; only then the handler.
// Not thread-safe: the control thread owns it.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/api/methods.h"
#include "control/rpc/caller.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

struct Call {
    const Caller& caller;
    const nlohmann::json& params;  ///< an object, checked against the row (not looked into deeper than its fields)
    const api::Method& method;
};

using Handler = std::function<Result<nlohmann::json>(const Call&)>;

class Dispatcher {
  public:
    /// The rows outlive the dispatcher.
    explicit Dispatcher(std::span<const api::Method> methods);

    /// Fails for a name without a row, and for one that is bound already.
    Result<> bind(std::string_view method, Handler handler);

    /// Whether every row that is built in has its handler; the error names those that lack one. Ask before serving.
    [[nodiscard]] Result<> check_complete() const;

    /// `params` null means none. Never throws: what a handler throws is logged and answered as `internal`.
    [[nodiscard]] Result<nlohmann::json> call(const Caller& caller, std::string_view method,
                                              const nlohmann::json& params) const;

  private:
    struct Row {
        const api::Method* method = nullptr;
        Handler handler;
    };
    [[nodiscard]] Error unknown(std::string_view method) const;

    std::map<std::string, Row, std::less<>> rows_;
};

}  // namespace bulkhead::rpc
