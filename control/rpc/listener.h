// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <sys/stat.h>

#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::rpc {

/// A listening Unix stream socket that owns its path: the file is removed with it, unless another has taken the path
/// since.
class Listener {
  public:
    /// Creates the path's folder (one level, 0755) where there is none. What stands at the path already: a socket that
    /// nobody listens on is replaced; a live one is `in_use`; anything else is refused and left alone. Nobody can
    /// connect before the file has its mode 0660 and, if given, its group.
    static Result<Listener> open(const std::string& path, std::optional<gid_t> group);

    Listener(Listener&&) noexcept = default;
    Listener& operator=(Listener&&) = delete;
    ~Listener();

    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    Listener(UniqueFd socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}

    UniqueFd socket_;
    std::string path_;
    struct stat identity_{};
};

}  // namespace bulkhead::rpc
