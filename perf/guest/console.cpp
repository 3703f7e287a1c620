// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/console.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include <rte_cycles.h>

namespace bulkhead::guest {

Console::Console() : interval_(rte_get_tsc_hz() / 1000) {}

unsigned Console::asked() {
    const std::uint64_t now = rte_rdtsc();
    if (now < next_) return 0;
    next_ = now + interval_;
    pollfd standard_input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&standard_input, 1, 0) <= 0) return 0;
    std::array<char, 64> text;
    const ssize_t count = read(STDIN_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) return 0;
    ended_ = count <= 0;
    return ended_ ? 0 : static_cast<unsigned>(std::count(text.data(), text.data() + count, '\n'));
}

}  // namespace bulkhead::guest
