// SPDX-License-Identifier: Apache-2.0
#include "vhost/socket_path.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {
namespace {

constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;  // unix(7); one byte for the final null

std::string errno_text(const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
}

std::string octal(std::uint32_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

/// 0 when somebody accepts, else errno. Does not wait.
int try_connect(const std::string& path) {
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return errno;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

Result<> remove_stale(const std::string& path) {
    const int error = try_connect(path);
    if (error == 0 || error == EAGAIN)
        return failure({.code = ErrorCode::in_use,
                        .message = "another process listens on this socket",
                        .field = "/path",
                        .got = path,
                        .allowed = "a path that is free",
                        .object_kind = {},
                        .object_name = {}});
    if (error != ECONNREFUSED)
        return invalid("/path", std::string("cannot tell whether the socket is in use: ") + std::strerror(error), path);
    if (unlink(path.c_str()) != 0) return invalid("/path", errno_text("cannot remove the stale socket"), path);
    return {};
}

}  // namespace

Result<> prepare_socket_path(const VhostUserDevice& device) {
    const std::string& path = device.path;
    if (path.size() > kMaxPath)
        return invalid("/path", "socket path is too long", std::to_string(path.size()) + " bytes",
                       "at most " + std::to_string(kMaxPath) + " bytes");
    if (!path.starts_with('/') || path.find('\0') != std::string::npos)
        return invalid("/path", "socket path is not absolute", path, "a path from the root");

    struct stat found{};
    if (lstat(path.c_str(), &found) == 0) {
        if (!S_ISSOCK(found.st_mode))
            return invalid("/path", "there is a file that is no socket", path, "a socket, or nothing");
        if (device.mode == VhostMode::server) return remove_stale(path);
        return {};
    }
    if (device.mode == VhostMode::client) return {};
    const std::string folder = std::filesystem::path(path).parent_path();
    if (stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
        return invalid("/path", "the folder of the socket does not exist", folder, "an existing folder");
    if (access(folder.c_str(), W_OK | X_OK) != 0)
        return invalid("/path", errno_text("cannot make a socket in this folder"), folder, "a folder we may write to");
    return {};
}

Result<> set_socket_access(const VhostUserDevice& device) {
    // Through a descriptor of the socket itself: who may write to the folder could put a link in its place.
    const UniqueFd file(open(device.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found{};
    if (!file.valid() || fstat(file.get(), &found) != 0 || !S_ISSOCK(found.st_mode))
        return invalid("/path", "somebody has put something else in the socket's place", device.path);
    const auto uid = device.owner_uid.value_or(static_cast<uid_t>(-1));  // -1: leave as it is, chown(2)
    const auto gid = device.owner_gid.value_or(static_cast<gid_t>(-1));
    if ((device.owner_uid || device.owner_gid) && fchownat(file.get(), "", uid, gid, AT_EMPTY_PATH) != 0)
        return invalid(device.owner_uid ? "/owner_uid" : "/owner_gid", errno_text("cannot give the socket away"),
                       std::to_string(device.owner_uid ? uid : gid));
    const std::string link = "/proc/self/fd/" + std::to_string(file.get());  // chmod(2) takes no such descriptor
    if (device.socket_mode && chmod(link.c_str(), *device.socket_mode) != 0)
        return invalid("/socket_mode", errno_text("cannot set the socket's mode"), octal(*device.socket_mode));
    return {};
}

std::unexpected<Error> socket_failure(const char* what, const std::string& path) {
    const ErrorCode code = errno == EADDRINUSE ? ErrorCode::in_use : ErrorCode::device_failed;
    Error error;
    error.code = code;
    error.message = errno_text(what);
    error.field = "/path";
    error.got = path;
    error.retryable = true;
    return failure(std::move(error));
}

}  // namespace bulkhead::vhost
