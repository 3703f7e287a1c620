// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "vswitch/base/result.h"

namespace bulkhead::methods {

/// One answer of a `list`: takes items in the order of their keys, leaves out those up to `cursor`, and ends after
/// `limit`.
class Page {
  public:
    static Result<Page> from(const nlohmann::json& params);

    /// Whether an item of this key belongs to this answer. Ask before making the item; notes that there is more.
    [[nodiscard]] bool wants(const std::string& key) { return (!cursor_ || key > *cursor_) && has_room(); }

    // For a list that finds its own place by the cursor.
    [[nodiscard]] const std::optional<std::string>& cursor() const { return cursor_; }
    [[nodiscard]] std::size_t limit() const { return limit_; }
    /// Ask before adding a further item; notes that there is more.
    [[nodiscard]] bool has_room();
    void add(const std::string& key, nlohmann::json item);

    /// `{"items": […], "cursor": …|null}`
    [[nodiscard]] nlohmann::json answer() &&;

  private:
    std::size_t limit_ = 100;
    std::optional<std::string> cursor_;
    std::string last_;
    bool has_more_ = false;
    nlohmann::json items_ = nlohmann::json::array();
};

}  // namespace bulkhead::methods
