// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/listener.h"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/rpc/refusal.h"
#include "vswitch/base/system_failure.h"

namespace bulkhead::rpc {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;  ///< 107 bytes and the NUL

Result<sockaddr_un> address_of(const std::string& path) {
    if (path.empty() || path.size() > kMaxPath || path.find('\0') != std::string::npos) {
        return failure(refusal(ErrorCode::invalid_params, "a socket's path is too long or empty: " + path, "",
                               std::to_string(path.size()) + " bytes", "1-" + std::to_string(kMaxPath) + " bytes"));
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

Result<> make_folder(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0) return {};
    const std::string folder = path.substr(0, slash);
    if (::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return {};
    return system_failure("cannot create the folder " + folder, errno);
}

/// Removes a socket file that a dead process left behind.
Result<> clear_path(const std::string& path, const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return system_failure("cannot look at " + path, errno);
    }
    if (!S_ISSOCK(status.st_mode)) {
        return failure(refusal(ErrorCode::in_use, path + " exists and is not a socket; it is left alone"));
    }
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!probe.valid()) return system_failure("cannot create a socket", errno);
    // EAGAIN means a full backlog: somebody lives there, only busy.
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN) {
        return failure(refusal(ErrorCode::in_use, "another bulkheadd is running: it answers on " + path));
    }
    if (errno != ECONNREFUSED && errno != ENOENT)
        return system_failure("cannot tell whether " + path + " is live", errno);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return system_failure("cannot remove the stale socket " + path, errno);
    return {};
}

}  // namespace

Result<Listener> Listener::open(const std::string& path, std::optional<gid_t> group) {
    const auto address = address_of(path);
    if (!address) return failure(address.error());
    if (const auto ok = make_folder(path); !ok) return failure(ok.error());
    if (const auto ok = clear_path(path, *address); !ok) return failure(ok.error());

    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.valid()) return system_failure("cannot create a socket", errno);
    if (::bind(socket.get(), generic(*address), sizeof *address) != 0)
        return system_failure("cannot bind " + path, errno);

    // Until listen() a connect is refused, so the order alone keeps everyone out before mode and group are right; the
    // process-wide umask stays untouched.
    Listener listener(std::move(socket), path);
    if (::lstat(path.c_str(), &listener.identity_) != 0) return system_failure("cannot look at " + path, errno);
    if (group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
        return system_failure("cannot give " + path + " to group " + std::to_string(*group), errno);
    }
    if (::chmod(path.c_str(), kSocketMode) != 0) return system_failure("cannot set the mode of " + path, errno);
    if (::listen(listener.fd(), SOMAXCONN) != 0) return system_failure("cannot listen on " + path, errno);
    return listener;
}

Listener::~Listener() {
    if (!socket_.valid()) return;
    struct stat status{};
    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == identity_.st_dev &&
        status.st_ino == identity_.st_ino) {
        ::unlink(path_.c_str());
    }
}

}  // namespace bulkhead::rpc
