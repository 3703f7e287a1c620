// SPDX-License-Identifier: Apache-2.0
// Something bounded that users share: nobody but root and the daemon's own user has more than a quarter of it, and an
// eighth is theirs alone. So no single user can shut the others out, and all of them together not the administrator.
#pragma once

#include <cstddef>
#include <sys/types.h>
#include <unordered_map>

namespace bulkhead::rpc {

class Shares {
  public:
    Shares(std::size_t limit, uid_t daemon_uid) : limit_(limit), daemon_uid_(daemon_uid) {}

    [[nodiscard]] bool has_room(uid_t uid, std::size_t amount) const {
        if (is_admin(uid)) return taken_ + amount <= limit_;
        return taken_ + amount <= limit_ - limit_ / 8 && of(uid) + amount <= most(uid);
    }
    /// What one user may have when all others have nothing.
    [[nodiscard]] std::size_t most(uid_t uid) const { return is_admin(uid) ? limit_ : limit_ / 4; }

    void take(uid_t uid, std::size_t amount) {
        if (amount == 0) return;
        taken_ += amount;
        by_user_[uid] += amount;
    }
    void give_back(uid_t uid, std::size_t amount) {
        const auto user = by_user_.find(uid);
        if (user == by_user_.end()) return;
        taken_ -= amount;
        user->second -= amount;
        if (user->second == 0) by_user_.erase(user);
    }

  private:
    [[nodiscard]] bool is_admin(uid_t uid) const { return uid == 0 || uid == daemon_uid_; }
    [[nodiscard]] std::size_t of(uid_t uid) const {
        const auto user = by_user_.find(uid);
        return user == by_user_.end() ? 0 : user->second;
    }

    std::size_t limit_;
    uid_t daemon_uid_;
    std::size_t taken_ = 0;
    std::unordered_map<uid_t, std::size_t> by_user_;
};

}  // namespace bulkhead::rpc
