// SPDX-License-Identifier: Apache-2.0
#include "vhost/socket_place.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace bulkhead::vhost {
namespace {

namespace fs = std::filesystem;

/// As it is written.
bool is_below(const fs::path& path, const fs::path& root) {
    const auto [of_root, of_path] = std::ranges::mismatch(root, path);
    return of_root == root.end() && of_path != path.end();
}

bool has_parents(const fs::path& path) {
    return std::ranges::find(path, "..") != path.end();
}

sockaddr_un address_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

/// proc(5): leads to the file itself, whatever its path is by now.
std::string link_to(const UniqueFd& file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

}  // namespace

SocketPlace::SocketPlace(std::string path, const std::vector<std::string>& roots) : path_(std::move(path)) {
    if (has_parents(path_)) return;  // it may lead anywhere
    for (const std::string& root : roots) {
        fs::path folder = fs::path(root).lexically_normal();
        if (!folder.has_filename()) folder = folder.parent_path();  // "/run/bulkhead/vhost/"
        if (folder.is_absolute() && is_below(fs::path(path_).lexically_normal(), folder)) root_ = folder;
    }
}

std::string SocketPlace::folder() const {
    return fs::path(path_).parent_path();
}

UniqueFd SocketPlace::open(const std::string& path, int flags) const noexcept {
    if (!is_below_root()) return UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC | flags));
    const UniqueFd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root.valid()) return UniqueFd();
    const fs::path rest = fs::path(path).lexically_relative(root_);
    const open_how how{.flags = static_cast<std::uint64_t>(O_PATH | O_CLOEXEC | flags),
                       .mode = 0,
                       .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH};
    return UniqueFd(static_cast<int>(syscall(SYS_openat2, root.get(), rest.c_str(), &how, sizeof how)));
}

UniqueFd SocketPlace::open_folder() const noexcept {
    return open(folder(), O_DIRECTORY);
}

UniqueFd SocketPlace::open_file() const noexcept {
    return open(path_, O_NOFOLLOW);
}

UniqueFd SocketPlace::open_socket() const noexcept {
    UniqueFd file = open_file();
    struct stat found{};
    if (!file.valid() || fstat(file.get(), &found) != 0) return UniqueFd();
    if (S_ISSOCK(found.st_mode)) return file;
    errno = ENOTSOCK;
    return UniqueFd();
}

sockaddr_un SocketPlace::address_in(const UniqueFd& folder) const {
    return address_at(is_below_root() ? link_to(folder) + "/" + name() : path_);
}

sockaddr_un address_of(const UniqueFd& socket) {
    return address_at(link_to(socket));
}

}  // namespace bulkhead::vhost
