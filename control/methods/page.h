// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "vswitch/base/result.h"

namespace bulkhead::methods {

/// One answer of a `list`: takes items in the order of their keys, leaves out those up to `cursor`, and ends after
/// `limit`.
class Page {
  public:
    static Result<Page> from(const nlohmann::json& params);

    [[nodiscard]] bool is_full() const { return items_.size() >= limit_; }
    /// Whether an item of this key belongs to this answer. Ask before making the item; notes that there is more.
    [[nodiscard]] bool wants(const std::string& key);
    void add(const std::string& key, nlohmann::json item);

    /// `{"items": […], "cursor": …|null}`
    [[nodiscard]] nlohmann::json answer() &&;

  private:
    std::size_t limit_ = 100;
    std::string cursor_, last_;
    bool has_cursor_ = false, has_more_ = false;
    nlohmann::json items_ = nlohmann::json::array();
};

}  // namespace bulkhead::methods
