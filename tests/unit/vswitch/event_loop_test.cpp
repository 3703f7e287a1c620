// SPDX-License-Identifier: Apache-2.0
#include "vswitch/base/event_loop.h"

#include <array>
#include <signal.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bulkhead {
namespace {

using std::chrono::milliseconds;

struct Pair {
    Pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
        near.reset(ends[0]);
        far.reset(ends[1]);
    }
    UniqueFd near, far;
};

class EventLoopTest : public testing::Test {
  protected:
    std::unique_ptr<EventLoop> loop =
        EventLoop::create([this](const std::exception& error) { failures.emplace_back(error.what()); }).value();
    std::vector<std::string> failures;
};

TEST_F(EventLoopTest, CallsBackForReadableDescriptors) {
    const Pair pair;
    int calls = 0;
    ASSERT_TRUE(loop->add_fd(pair.near.get(), EPOLLIN, [&](std::uint32_t events) {
        EXPECT_EQ(events, EPOLLIN);
        ++calls;
    }));
    loop->turn(milliseconds(0));
    EXPECT_EQ(calls, 0);
    ASSERT_EQ(::write(pair.far.get(), "x", 1), 1);
    loop->turn(milliseconds(1000));
    EXPECT_EQ(calls, 1);
    ASSERT_TRUE(loop->modify_fd(pair.near.get(), 0));
    loop->turn(milliseconds(0));
    EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, RefusesWhatCannotBeWatched) {
    EXPECT_FALSE(loop->add_fd(-1, EPOLLIN, [](std::uint32_t) {}));
    EXPECT_FALSE(loop->modify_fd(12345, EPOLLIN));
}

TEST_F(EventLoopTest, ACallbackMayRemoveItselfAndOthers) {
    const Pair first, second;
    int calls = 0;
    const auto remove_both = [&](std::uint32_t) {
        ++calls;
        loop->remove_fd(first.near.get());
        loop->remove_fd(second.near.get());
    };
    ASSERT_TRUE(loop->add_fd(first.near.get(), EPOLLIN, remove_both));
    ASSERT_TRUE(loop->add_fd(second.near.get(), EPOLLIN, remove_both));
    ASSERT_EQ(::write(first.far.get(), "x", 1), 1);
    ASSERT_EQ(::write(second.far.get(), "x", 1), 1);
    loop->turn(milliseconds(1000));  // both are ready in this turn; whoever comes first removes the other
    EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AReusedDescriptorNumberGetsNoOldEvents) {
    const Pair first;
    Pair second;
    int stale = 0, fresh = 0;
    Pair third;
    const auto replace_second = [&](std::uint32_t) {
        loop->remove_fd(first.near.get());
        const int number = second.near.get();
        loop->remove_fd(number);
        ASSERT_EQ(::dup2(third.near.get(), number), number);
        ASSERT_TRUE(loop->add_fd(number, EPOLLIN, [&](std::uint32_t) { ++fresh; }));
    };
    ASSERT_TRUE(loop->add_fd(first.near.get(), EPOLLIN, replace_second));
    ASSERT_TRUE(loop->add_fd(second.near.get(), EPOLLIN, [&](std::uint32_t) { ++stale; }));
    ASSERT_EQ(::write(first.far.get(), "x", 1), 1);
    ASSERT_EQ(::write(second.far.get(), "x", 1), 1);
    loop->turn(milliseconds(1000));
    EXPECT_EQ(stale + fresh, 0);
}

TEST_F(EventLoopTest, TimersFireOnceInOrderAndCanBeCancelled) {
    std::string fired;
    loop->add_timer(milliseconds(2), [&] { fired += 'b'; });
    loop->add_timer(milliseconds(1), [&] { fired += 'a'; });
    const auto cancelled = loop->add_timer(milliseconds(1), [&] { fired += 'x'; });
    loop->cancel_timer(cancelled);
    loop->add_timer(milliseconds(4), [&] { loop->stop(); });
    loop->run();
    EXPECT_EQ(fired, "ab");
}

TEST_F(EventLoopTest, ATimerMayCancelItselfAndAnother) {
    int ticks = 0, others = 0;
    EventLoop::TimerId self = 0, other = 0;
    other = loop->add_timer(milliseconds(3), [&] { ++others; });
    self = loop->add_periodic(milliseconds(1), [&] {
        if (++ticks == 2) {
            loop->cancel_timer(self);
            loop->cancel_timer(other);
        }
    });
    loop->add_timer(milliseconds(8), [&] { loop->stop(); });
    loop->run();
    EXPECT_EQ(ticks, 2);
    EXPECT_LE(others, 1);  // on a slow machine it may have been due before the second tick
}

TEST_F(EventLoopTest, PostWakesTheLoopFromAnotherThread) {
    std::thread::id ran_on;
    std::thread other([&] {
        loop->post([&] {
            ran_on = std::this_thread::get_id();
            loop->stop();
        });
    });
    loop->run();
    other.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST_F(EventLoopTest, WorkThatPostsItselfLeavesRoomForOthers) {
    int posted = 0;
    std::function<void()> again = [&] {
        ++posted;
        loop->post(again);
    };
    loop->post(again);
    loop->add_timer(milliseconds(2), [&] { loop->stop(); });
    loop->run();
    EXPECT_GT(posted, 1);
}

TEST_F(EventLoopTest, DeferredWorkEndsTheTurn) {
    std::string order;
    loop->post([&] {
        loop->defer([&] {
            order += 'd';
            loop->defer([&] { order += 'n'; });
        });
        loop->post([&] { order += 'p'; });
        order += 'w';
    });
    loop->turn(milliseconds(0));
    EXPECT_EQ(order, "wd");
    loop->turn();  // no waiting: work was deferred to the next turn
    EXPECT_EQ(order, "wdpn");
}

TEST_F(EventLoopTest, TheTurnOfStopIsFinished) {
    bool flushed = false;
    loop->post([&] {
        loop->defer([&] { flushed = true; });
        loop->stop();
    });
    loop->run();
    EXPECT_TRUE(flushed);
}

TEST_F(EventLoopTest, AnExceptionDoesNotEndTheLoop) {
    loop->post([] { throw std::runtime_error("expected by the test"); });
    loop->post([&] { loop->stop(); });
    loop->run();
    EXPECT_THAT(failures, testing::ElementsAre("expected by the test"));
}

TEST_F(EventLoopTest, SignalsArriveAsCallbacks) {
    std::vector<int> got;
    ASSERT_TRUE(loop->watch_signals({SIGUSR1, SIGUSR2}, [&](int signal) {
        got.push_back(signal);
        if (got.size() == 2) loop->stop();
    }));
    ::raise(SIGUSR2);
    ::raise(SIGUSR1);
    loop->run();
    EXPECT_EQ(got, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

}  // namespace
}  // namespace bulkhead
