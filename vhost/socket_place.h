// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <sys/un.h>
#include <vector>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// Where a port's socket is, or is to be. Folders on the way there may be a pod's, which could put a symbolic link in
/// the place of one at any time and so lead us to another pod's socket. So below the root that the path is in no link
/// is followed (openat2(2)), at every look; what is found is used through its descriptor and not by its path again.
///
/// A path outside all roots is the admin's alone: links in its folders are followed, but the socket itself is none.
class SocketPlace {
  public:
    /// `roots`: folders that we trust, up to and including themselves.
    SocketPlace(std::string path, const std::vector<std::string>& roots);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// Behind the last slash.
    [[nodiscard]] std::string name() const { return path_.substr(path_.rfind('/') + 1); }
    [[nodiscard]] std::string folder() const;
    [[nodiscard]] bool is_below_root() const noexcept { return !root_.empty(); }
    [[nodiscard]] const std::string& root() const noexcept { return root_; }

    // O_PATH, for addresses and the *at() calls; if there is none errno says why, ELOOP: a symbolic link is in the
    // way.
    [[nodiscard]] UniqueFd open_folder() const noexcept;
    /// Whatever is there, a link itself if it is one.
    [[nodiscard]] UniqueFd open_file() const noexcept;
    /// Only a socket; ENOTSOCK if it is something else.
    [[nodiscard]] UniqueFd open_socket() const noexcept;

    /// Of a socket that is to be made in the folder. Below a root the name may have kMaxName bytes.
    [[nodiscard]] sockaddr_un address_in(const UniqueFd& folder) const;
    static constexpr std::size_t kMaxName = 80;

  private:
    [[nodiscard]] UniqueFd open(const std::string& path, int flags) const noexcept;

    std::string path_;
    std::string root_;  ///< empty: none
};

/// Of a socket that was opened.
[[nodiscard]] sockaddr_un address_of(const UniqueFd& socket);

}  // namespace bulkhead::vhost
