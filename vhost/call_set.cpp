// SPDX-License-Identifier: Apache-2.0
#include "vhost/call_set.h"

#include <algorithm>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>

namespace bulkhead::vhost {

void CallSet::watch(std::uint16_t ring, int call_fd) {
    const std::lock_guard lock(mutex_);
    calls_[ring].reset(call_fd < 0 ? -1 : fcntl(call_fd, F_DUPFD_CLOEXEC, 0));
}

void CallSet::forget() {
    const std::lock_guard lock(mutex_);
    for (UniqueFd& call : calls_) call.reset(-1);
}

bool CallSet::is_jammed() const {
    const std::lock_guard lock(mutex_);
    std::vector<pollfd> writable;
    for (const UniqueFd& call : calls_)
        if (call.valid()) writable.push_back({.fd = call.get(), .events = POLLOUT, .revents = 0});
    if (writable.empty() || poll(writable.data(), writable.size(), 0) < 0) return false;
    return std::ranges::any_of(writable, [](const pollfd& call) { return (call.revents & POLLOUT) == 0; });
}

void CallSet::drain() const {
    const std::lock_guard lock(mutex_);
    for (const UniqueFd& call : calls_) {
        if (!call.valid()) continue;
        std::uint64_t counted = 0;
        const iovec place{.iov_base = &counted, .iov_len = sizeof counted};
        // Whatever the guest makes of the descriptor's flags meanwhile, this waits for nobody.
        [[maybe_unused]] const auto taken = preadv2(call.get(), &place, 1, -1, RWF_NOWAIT);
    }
}

}  // namespace bulkhead::vhost
