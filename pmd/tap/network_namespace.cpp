// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/network_namespace.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <thread>

namespace bulkhead {
namespace {

std::unexpected<Error> refuse(const std::string& path, std::string message, ErrorCode code, bool retryable) {
    return failure({.code = code,
                    .message = std::move(message),
                    .field = "/netns",
                    .got = path,
                    .allowed = "path of a pod's network namespace",
                    .retryable = retryable,
                    .object_kind = {},
                    .object_name = {}});
}

bool is_network_namespace(int fd) {
    struct statfs filesystem{};
    if (fstatfs(fd, &filesystem) != 0 || filesystem.f_type != NSFS_MAGIC) return false;
    return ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET;
}

bool is_the_same(const char* path, int fd) {
    struct stat there{}, here{};
    if (stat(path, &there) != 0 || fstat(fd, &here) != 0) return false;
    return there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

}  // namespace

Result<UniqueFd> open_network_namespace(const std::string& path) {
    if (path.empty()) return UniqueFd();
    // Not blocking: the path comes from users and may name a FIFO.
    UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.valid()) {
        const int error = errno;
        const bool absent = error == ENOENT || error == ENOTDIR;
        return refuse(path, "cannot open the network namespace " + path + ": " + std::string(std::strerror(error)),
                      absent ? ErrorCode::not_found : ErrorCode::device_failed, true);
    }
    // `ip netns add` makes an empty file first and mounts the namespace over it a moment later: try again.
    if (!is_network_namespace(fd.get())) {
        return refuse(path, path + " is not a network namespace", ErrorCode::invalid_params, true);
    }
    if (is_the_same("/proc/self/ns/net", fd.get())) {
        return refuse(path, path + " is the switch's own network namespace", ErrorCode::denied, false);
    }
    return fd;
}

bool leads_to(const std::string& path, const UniqueFd& network_namespace) {
    return !network_namespace.valid() || is_the_same(path.c_str(), network_namespace.get());
}

Result<> run_in_namespace(const UniqueFd& network_namespace, const std::function<Result<>()>& work) {
    Result<> result;
    std::thread([&] {
        if (network_namespace.valid() && setns(network_namespace.get(), CLONE_NEWNET) != 0) {
            result = refuse("", "cannot enter the network namespace: " + std::string(std::strerror(errno)),
                            ErrorCode::device_failed, true);
            return;
        }
        result = work();
    }).join();
    return result;
}

}  // namespace bulkhead
