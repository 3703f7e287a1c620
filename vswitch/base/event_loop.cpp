// SPDX-License-Identifier: Apache-2.0
#include "vswitch/base/event_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "vswitch/base/system_failure.h"

namespace bulkhead {
namespace {

constexpr int kEventsPerTurn = 64;

}  // namespace

template <typename Function, typename... Arguments>
void EventLoop::guarded(const Function& function, Arguments... arguments) {
    try {
        function(arguments...);
    } catch (const std::exception& error) {
        on_failure_(error);
    }
}

Result<std::unique_ptr<EventLoop>> EventLoop::create(FailureSink on_failure) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.valid()) return system_failure("cannot create an epoll instance", errno);
    UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake.valid()) return system_failure("cannot create an eventfd", errno);

    std::unique_ptr<EventLoop> loop(new EventLoop(std::move(epoll), std::move(wake), std::move(on_failure)));
    const int wake_fd = loop->wake_.get();
    const auto added = loop->add_fd(wake_fd, EPOLLIN, [wake_fd](std::uint32_t) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto read = ::read(wake_fd, &count, sizeof count);  // only to make it unreadable again
    });
    if (!added) return failure(added.error());
    return loop;
}

Result<> EventLoop::add_fd(int fd, std::uint32_t events, FdCallback callback) {
    const std::uint64_t token = ++last_token_;
    epoll_event event{};
    event.events = events;
    event.data.u64 = token;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        return system_failure("cannot watch descriptor " + std::to_string(fd), errno);
    }
    tokens_[fd] = token;
    watches_[token] = {.fd = fd, .callback = std::make_shared<FdCallback>(std::move(callback))};
    return {};
}

Result<> EventLoop::modify_fd(int fd, std::uint32_t events) {
    const auto found = tokens_.find(fd);
    epoll_event event{};
    event.events = events;
    event.data.u64 = found == tokens_.end() ? 0 : found->second;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
        return system_failure("cannot change the watch of descriptor " + std::to_string(fd), errno);
    }
    return {};
}

void EventLoop::remove_fd(int fd) {
    const auto found = tokens_.find(fd);
    if (found == tokens_.end()) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    watches_.erase(found->second);
    tokens_.erase(found);
}

EventLoop::TimerId EventLoop::add_timer(Clock::duration delay, Callback callback) {
    return start_timer(delay, Clock::duration::zero(), std::move(callback));
}

EventLoop::TimerId EventLoop::add_periodic(Clock::duration period, Callback callback) {
    const auto at_least = std::max<Clock::duration>(period, std::chrono::milliseconds(1));
    return start_timer(at_least, at_least, std::move(callback));
}

EventLoop::TimerId EventLoop::start_timer(Clock::duration delay, Clock::duration period, Callback callback) {
    const TimerId id = ++last_timer_;
    const auto deadline = Clock::now() + std::max(delay, Clock::duration::zero());
    timers_[id] = {.deadline = deadline, .period = period, .callback = std::make_shared<Callback>(std::move(callback))};
    deadlines_.emplace(deadline, id);
    return id;
}

void EventLoop::cancel_timer(TimerId timer) {
    const auto found = timers_.find(timer);
    if (found == timers_.end()) return;
    deadlines_.erase({found->second.deadline, timer});
    timers_.erase(found);
}

Result<> EventLoop::watch_signals(const std::vector<int>& signals, SignalCallback callback) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr)) {
        return system_failure("cannot block signals", error);
    }
    signals_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_.valid()) return system_failure("cannot create a signalfd", errno);
    return add_fd(signals_.get(), EPOLLIN, [fd = signals_.get(), callback = std::move(callback)](std::uint32_t) {
        signalfd_siginfo info{};
        while (::read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            callback(static_cast<int>(info.ssi_signo));
        }
    });
}

void EventLoop::wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);  // full: it is awake already
}

void EventLoop::post(Callback callback) {
    {
        const std::lock_guard lock(posted_mutex_);
        posted_.push_back(std::move(callback));
    }
    wake();
}

void EventLoop::defer(Callback callback) {
    deferred_.push_back(std::move(callback));
}

void EventLoop::run() {
    while (!stopping_.load(std::memory_order_acquire)) turn();
    stopping_.store(false, std::memory_order_relaxed);
}

void EventLoop::stop() {
    stopping_.store(true, std::memory_order_release);
    wake();
}

void EventLoop::turn(std::optional<std::chrono::milliseconds> max_wait) {
    serve_fds(wait_ms(max_wait));
    serve_posted();
    serve_timers();
    serve_deferred();
}

int EventLoop::wait_ms(std::optional<std::chrono::milliseconds> max_wait) {
    if (!deferred_.empty()) return 0;
    std::optional<std::chrono::milliseconds> wait = max_wait;
    if (!deadlines_.empty()) {
        // Rounded up: waking a moment early would spin until the deadline.
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadlines_.begin()->first - Clock::now());
        wait = std::min(wait.value_or(left), left);
    }
    if (!wait) return -1;
    return static_cast<int>(std::clamp<std::int64_t>(wait->count(), 0, INT_MAX));
}

void EventLoop::serve_fds(int timeout_ms) {
    std::array<epoll_event, kEventsPerTurn> events;
    const int ready = ::epoll_wait(epoll_.get(), events.data(), kEventsPerTurn, timeout_ms);
    for (int i = 0; i < ready; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        const auto found = watches_.find(event.data.u64);
        if (found == watches_.end()) continue;         // removed by a callback of this very turn
        const auto callback = found->second.callback;  // kept alive though it may remove itself
        guarded(*callback, event.events);
    }
}

void EventLoop::serve_posted() {
    std::vector<Callback> work;
    {
        const std::lock_guard lock(posted_mutex_);
        work.swap(posted_);
    }
    for (const auto& callback : work) guarded(callback);
}

void EventLoop::serve_timers() {
    const auto now = Clock::now();
    // A timer that a callback adds with no delay is due after `now`, so this ends.
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const TimerId id = deadlines_.begin()->second;
        deadlines_.erase(deadlines_.begin());
        Timer& timer = timers_.at(id);
        const auto callback = timer.callback;
        if (timer.period == Clock::duration::zero()) {
            timers_.erase(id);
        } else {
            const auto next = timer.deadline + timer.period;
            timer.deadline = next > now ? next : now + timer.period;
            deadlines_.emplace(timer.deadline, id);
        }
        guarded(*callback);
    }
}

void EventLoop::serve_deferred() {
    std::vector<Callback> work;
    work.swap(deferred_);
    for (const auto& callback : work) guarded(callback);
}

}  // namespace bulkhead
