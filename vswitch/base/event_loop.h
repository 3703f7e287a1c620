// SPDX-License-Identifier: Apache-2.0
// A thread's loop: descriptors (epoll), timers, signals, and work posted by other threads. The control thread has one,
// and so has whoever serves guests' sockets.
//
// A turn serves, in this order: descriptors that are ready, posted work, timers that are due, and at last what was
// deferred to the turn's end. What is posted or deferred while its own kind is served waits for the next
// turn, so that no source can starve the others.
//
// Threads: post() and stop() may be called by any thread; everything else, and every callback, by the loop's own.
// A callback may remove any descriptor or timer, its own included; it is then not called again, even when the
// descriptor's number is used again. An exception that leaves a callback is told to `on_failure`, and the loop goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead {

class EventLoop {
  public:
    using Clock = std::chrono::steady_clock;
    [[nodiscard]] static std::uint64_t now_ms() {  ///< of Clock, as token buckets count
        const auto now = Clock::now().time_since_epoch();
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    }
    using Callback = std::function<void()>;
    using FdCallback = std::function<void(std::uint32_t events)>;  ///< EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR
    using SignalCallback = std::function<void(int signal)>;
    using TimerId = std::uint64_t;  ///< never 0, never used twice

    using FailureSink = std::function<void(const std::exception&)>;

    static Result<std::unique_ptr<EventLoop>> create(FailureSink on_failure);
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Level-triggered. The descriptor stays the caller's, who removes it before closing it.
    Result<> add_fd(int fd, std::uint32_t events, FdCallback callback);
    Result<> modify_fd(int fd, std::uint32_t events);
    void remove_fd(int fd);  ///< unknown descriptors are ignored

    TimerId add_timer(Clock::duration delay, Callback callback);
    TimerId add_periodic(Clock::duration period, Callback callback);  ///< ticks that were missed are skipped
    void cancel_timer(TimerId timer);                                 ///< unknown or fired timers are ignored

    /// Delivers the signals here. Blocks them for the calling thread: call it before other threads are started, which
    /// inherit the mask. Once per loop.
    Result<> watch_signals(const std::vector<int>& signals, SignalCallback callback);

    void post(Callback callback);   ///< from any thread; runs in the loop's next turn
    void defer(Callback callback);  ///< runs once at the end of this turn

    void run();   ///< turns until stop(); the turn in which stop() is called is finished, what it deferred included
    void stop();  ///< from any thread
    /// One turn, waiting at most so long for something to do (nullopt: without bound).
    void turn(std::optional<std::chrono::milliseconds> max_wait = std::nullopt);

  private:
    struct Watch {
        int fd = -1;
        std::shared_ptr<FdCallback> callback;
    };
    struct Timer {
        Clock::time_point deadline;
        Clock::duration period{};  ///< 0: one shot
        std::shared_ptr<Callback> callback;
    };

    EventLoop(UniqueFd epoll, UniqueFd wake, FailureSink on_failure)
        : epoll_(std::move(epoll)), wake_(std::move(wake)), on_failure_(std::move(on_failure)) {}
    TimerId start_timer(Clock::duration delay, Clock::duration period, Callback callback);
    [[nodiscard]] int wait_ms(std::optional<std::chrono::milliseconds> max_wait);
    void serve_fds(int timeout_ms);
    void serve_posted();
    void serve_timers();
    void serve_deferred();
    template <typename Function, typename... Arguments>
    void guarded(const Function& function, Arguments... arguments);
    void wake();

    UniqueFd epoll_, wake_, signals_;
    const FailureSink on_failure_;
    /// epoll reports the token, not the descriptor: a number that is closed and reused has another token.
    std::unordered_map<std::uint64_t, Watch> watches_;
    std::unordered_map<int, std::uint64_t> tokens_;
    std::unordered_map<TimerId, Timer> timers_;
    std::set<std::pair<Clock::time_point, TimerId>> deadlines_;
    std::uint64_t last_token_ = 0;
    TimerId last_timer_ = 0;
    std::vector<Callback> deferred_;

    std::atomic<bool> stopping_{false};
    std::mutex posted_mutex_;
    std::vector<Callback> posted_;  ///< guarded by posted_mutex_
};

}  // namespace bulkhead
