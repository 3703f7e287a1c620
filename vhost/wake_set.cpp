// SPDX-License-Identifier: Apache-2.0
#include "vhost/wake_set.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace bulkhead::vhost {
namespace {

bool add(int set, int fd) {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0;
}

std::unexpected<Error> no_descriptor(const char* call) {
    return failure(
        {.code = ErrorCode::limit,
         .message = std::string("no descriptor for a vhost-user port: ") + call + ": " + std::strerror(errno),
         .field = {},
         .got = {},
         .allowed = "a higher RLIMIT_NOFILE",
         .retryable = true,
         .object_kind = {},
         .object_name = {}});
}

}  // namespace

Result<WakeSet> WakeSet::create(std::uint16_t queues) {
    WakeSet result;
    result.bell_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (result.bell_ < 0) return no_descriptor("eventfd");
    result.queues_.resize(queues);
    for (Queue& queue : result.queues_) {
        queue.set = epoll_create1(EPOLL_CLOEXEC);
        if (queue.set < 0 || !add(queue.set, result.bell_)) return no_descriptor("epoll");
    }
    return result;
}

WakeSet::WakeSet(WakeSet&& other) noexcept
    : bell_(std::exchange(other.bell_, -1)), queues_(std::exchange(other.queues_, {})) {}

WakeSet::~WakeSet() {
    for (const Queue& queue : queues_) {
        if (queue.kick >= 0) close(queue.kick);
        if (queue.set >= 0) close(queue.set);
    }
    if (bell_ >= 0) close(bell_);
}

void WakeSet::consume(std::uint16_t queue) noexcept {
    epoll_event events[2];
    epoll_wait(queues_[queue].set, events, 2, 0);
}

bool WakeSet::watch(std::uint16_t queue, int kick_fd) {
    forget(queue);
    if (kick_fd < 0) return false;
    const int copy = fcntl(kick_fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return false;
    if (!add(queues_[queue].set, copy)) {
        close(copy);
        return false;
    }
    queues_[queue].kick = copy;
    return true;
}

void WakeSet::forget(std::uint16_t queue) {
    const int kick = std::exchange(queues_[queue].kick, -1);
    if (kick < 0) return;
    epoll_ctl(queues_[queue].set, EPOLL_CTL_DEL, kick, nullptr);
    close(kick);
}

void WakeSet::ring() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(bell_, &one, sizeof one);
}

}  // namespace bulkhead::vhost
