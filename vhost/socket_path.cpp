// SPDX-License-Identifier: Apache-2.0
#include "vhost/socket_path.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
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
int try_connect(const UniqueFd& place) {
    const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return errno;
    const sockaddr_un address = address_of(place);
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

Result<> remove_stale(const UniqueFd& folder, const UniqueFd& socket, const SocketPlace& place) {
    const int error = try_connect(socket);
    if (error == 0 || error == EAGAIN)
        return failure({.code = ErrorCode::in_use,
                        .message = "another process listens on this socket",
                        .field = "/path",
                        .got = place.path(),
                        .allowed = "a path that is free",
                        .object_kind = {},
                        .object_name = {}});
    if (error != ECONNREFUSED)
        return invalid("/path", std::string("cannot tell whether the socket is in use: ") + std::strerror(error),
                       place.path());
    if (unlinkat(folder.get(), place.name().c_str(), 0) != 0)
        return invalid("/path", errno_text("cannot remove the stale socket"), place.path());
    return {};
}

Result<> check_form(const VhostUserDevice& device, const SocketPlace& place) {
    const std::string& path = place.path();
    if (path.size() > kMaxPath)
        return invalid("/path", "socket path is too long", std::to_string(path.size()) + " bytes",
                       "at most " + std::to_string(kMaxPath) + " bytes");
    if (!path.starts_with('/') || path.find('\0') != std::string::npos)
        return invalid("/path", "socket path is not absolute", path, "a path from the root");
    if (device.mode == VhostMode::server && place.is_below_root() && place.name().size() > SocketPlace::kMaxName)
        return invalid("/path", "the socket's name is too long", std::to_string(place.name().size()) + " bytes",
                       "at most " + std::to_string(SocketPlace::kMaxName) + " bytes behind the last '/'");
    return {};
}

}  // namespace

Result<> prepare_socket_path(const VhostUserDevice& device, const SocketPlace& place) {
    if (auto well_formed = check_form(device, place); !well_formed) return well_formed;
    const bool is_server = device.mode == VhostMode::server;
    const UniqueFd folder = place.open_folder();
    if (!folder.valid() && errno == ELOOP)
        return invalid("/path", "leads over a symbolic link", place.path(), "none below " + place.root());
    if (!folder.valid() && (is_server || errno != ENOENT))
        return invalid("/path", "the folder of the socket does not exist", place.folder(), "an existing folder");
    const UniqueFd socket = place.open_socket();
    if (!socket.valid() && errno == ENOTSOCK)
        return invalid("/path", "there is a file that is no socket", place.path(), "a socket, or nothing");
    if (!is_server) return {};
    if (socket.valid()) return remove_stale(folder, socket, place);
    if (faccessat(folder.get(), ".", W_OK | X_OK, 0) != 0)
        return invalid("/path", errno_text("cannot make a socket in this folder"), place.folder(),
                       "a folder we may write to");
    return {};
}

Result<> set_socket_access(const VhostUserDevice& device, const SocketPlace& place) {
    // Through a descriptor of the socket itself: who may write to the folder could put a link in its place.
    const UniqueFd file = place.open_socket();
    if (!file.valid()) return invalid("/path", "somebody has put something else in the socket's place", place.path());
    const auto uid = device.owner_uid.value_or(static_cast<uid_t>(-1));  // -1: leave as it is, chown(2)
    const auto gid = device.owner_gid.value_or(static_cast<gid_t>(-1));
    if ((device.owner_uid || device.owner_gid) && fchownat(file.get(), "", uid, gid, AT_EMPTY_PATH) != 0)
        return invalid(device.owner_uid ? "/owner_uid" : "/owner_gid", errno_text("cannot give the socket away"),
                       std::to_string(device.owner_uid ? uid : gid));
    // chmod(2) takes no such descriptor, but its name.
    if (device.socket_mode && chmod(address_of(file).sun_path, *device.socket_mode) != 0)
        return invalid("/socket_mode", errno_text("cannot set the socket's mode"), octal(*device.socket_mode));
    return {};
}

std::string awaited_at(const VhostUserDevice& device, const SocketPlace& place) {
    const UniqueFd socket = place.open_socket();
    const int error = socket.valid() ? 0 : errno;
    if (device.mode == VhostMode::server)
        return error == 0 ? "a guest that connects"
                          : "its socket has been taken away: remove the port and add it again";
    switch (error) {
        case 0:
            return "a guest that listens on the socket";
        case ENOENT:
            return "the guest's socket";
        case ENOTSOCK:
            return "the guest's socket: there is a file that is none";
        case ELOOP:
            return "the guest's socket: its path leads over a symbolic link";
        default:
            return std::string("the guest's socket: ") + std::strerror(error);
    }
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
