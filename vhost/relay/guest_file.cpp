// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/guest_file.h"

#include <array>
#include <fcntl.h>
#include <linux/magic.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace bulkhead::vhost {

std::optional<std::string> objection_to_memory(int fd, std::uint64_t bytes) {
    struct stat file{};
    struct statfs system{};
    if (fstat(fd, &file) != 0 || fstatfs(fd, &system) != 0) return "memory that can't be looked at";
    const auto type = static_cast<std::uint32_t>(system.f_type);
    if (!S_ISREG(file.st_mode) || (type != TMPFS_MAGIC && type != HUGETLBFS_MAGIC))
        return "memory that is no file of tmpfs, memfd or hugetlbfs";
    if (static_cast<std::uint64_t>(file.st_size) < bytes)
        return "memory of " + std::to_string(file.st_size) + " bytes where " + std::to_string(bytes) + " are spoken of";
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);  // not every file can be: the guard of its pages is for those
    return std::nullopt;
}

std::optional<std::string> objection_to_eventfd(int fd) {
    std::array<char, 64> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t length = readlink(link.c_str(), target.data(), target.size());
    if (length < 0 || std::string_view(target.data(), static_cast<std::size_t>(length)) != "anon_inode:[eventfd]")
        return "a descriptor that is no eventfd";
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) return "an eventfd that can't be non-blocking";
    return std::nullopt;
}

}  // namespace bulkhead::vhost
