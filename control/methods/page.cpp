// SPDX-License-Identifier: Apache-2.0
#include "control/methods/page.h"

#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

constexpr std::int64_t kMostItems = 1000;

}  // namespace

Result<Page> Page::from(const nlohmann::json& params) {
    Page page;
    if (auto limit = params.find("limit"); limit != params.end()) {
        if (!limit->is_number_integer() || *limit < 1 || *limit > kMostItems) {
            return failure(refused("/limit", "is out of range", config::shown(*limit), "1-1000").error());
        }
        page.limit_ = limit->get<std::size_t>();
    }
    if (auto cursor = params.find("cursor"); cursor != params.end()) {
        page.cursor_ = cursor->get<std::string>();
    }
    return page;
}

bool Page::has_room() {
    const bool room = items_.size() < limit_;
    if (!room) has_more_ = true;
    return room;
}

void Page::add(const std::string& key, nlohmann::json item) {
    items_.push_back(std::move(item));
    last_ = key;
}

nlohmann::json Page::answer() && {
    return {{"items", std::move(items_)}, {"cursor", has_more_ ? nlohmann::json(last_) : nlohmann::json()}};
}

}  // namespace bulkhead::methods
