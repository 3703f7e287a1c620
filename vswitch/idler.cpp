// SPDX-License-Identifier: Apache-2.0
#include "vswitch/idler.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

#include <rte_cycles.h>

#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

/// Spinning that long first keeps a busy worker from falling asleep between two bursts.
constexpr std::uint64_t kSpinMicroseconds = 20;
/// Where a port can wake the worker it has no need to look; this bounds the harm if a device forgets to signal.
constexpr std::uint64_t kLongSleepMicroseconds = 100'000;

constexpr timespec timespec_of(std::uint64_t microseconds) {
    return {.tv_sec = static_cast<time_t>(microseconds / 1'000'000),
            .tv_nsec = static_cast<long>(microseconds % 1'000'000) * 1000L};
}

}  // namespace

Idler::Idler(IdleMode mode, std::uint32_t max_sleep_us)
    : mode_(mode),
      max_sleep_us_(max_sleep_us),
      cycles_per_us_(rte_get_tsc_hz() / 1'000'000),
      bell_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (bell_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Idler::~Idler() {
    close(bell_);
    if (epoll_ >= 0) close(epoll_);
}

bool Idler::tired(std::uint64_t now_cycles) noexcept {
    if (mode_ == IdleMode::busy) return false;
    if (idle_since_ == 0) idle_since_ = now_cycles;
    return now_cycles - idle_since_ >= cycles_per_us_ * kSpinMicroseconds;
}

void Idler::take_up(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept {
    // A new set each time: descriptors of ports that are gone may have been closed and their numbers used again.
    if (epoll_ >= 0) close(epoll_);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN, .data = {.fd = bell_}};
    has_bell_ = epoll_ >= 0 && epoll_ctl(epoll_, EPOLL_CTL_ADD, bell_, &event) == 0;
    mute_queues_.clear();
    for (const ReceiveQueue& queue : queues) {
        const int descriptor = snapshot.ports[queue.port].io->wake_fd(queue.queue);
        event.data.fd = descriptor;
        if (descriptor < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) mute_queues_.push_back(queue);
    }
    known_ = true;
}

bool Idler::arm(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept {
    if (!known_) take_up(snapshot, queues);
    armed_at_ = rte_rdtsc();
    bool quiet = true;
    for (const ReceiveQueue& queue : queues) quiet &= snapshot.ports[queue.port].io->arm(queue.queue);
    return quiet;
}

std::uint64_t Idler::sleep_us() const noexcept {
    if (can_sleep_long()) return kLongSleepMicroseconds;
    const std::uint64_t silence = (rte_rdtsc() - idle_since_) / cycles_per_us_;
    return std::clamp<std::uint64_t>(silence, 1, max_sleep_us_);
}

bool Idler::wait() noexcept {
    const timespec longest = timespec_of(sleep_us());
    epoll_event event;
    const int ready = epoll_pwait2(epoll_, &event, 1, &longest, nullptr);
    std::uint64_t rings = 0;
    if (ready > 0 && event.data.fd == bell_) [[maybe_unused]]
        const auto drained = read(bell_, &rings, sizeof rings);
    return ready != 0 || can_sleep_long() || rte_rdtsc() - armed_at_ >= cycles_per_us_ * kLongSleepMicroseconds;
}

void Idler::disarm(const Snapshot& snapshot, const std::vector<ReceiveQueue>& queues) noexcept {
    for (const ReceiveQueue& queue : queues) snapshot.ports[queue.port].io->disarm(queue.queue);
}

void Idler::wake() noexcept {
    const std::uint64_t ring = 1;
    [[maybe_unused]] const auto written = write(bell_, &ring, sizeof ring);
}

}  // namespace bulkhead
