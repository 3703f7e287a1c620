// SPDX-License-Identifier: Apache-2.0
// Sessions of BFD: one that the test speaks to, and two that speak to each other over a link that the test cuts.
#include "vswitch/overlay/bfd_session.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

constexpr std::uint32_t kOurs = 7, kTheirs = 9;

/// The session that is asked, and a remote made of single packets.
struct BfdAlone : testing::Test {
    BfdPacket from_remote(BfdState state, std::uint32_t to = kOurs) const {
        return {.state = state,
                .detect_multiplier = 3,
                .my_discriminator = kTheirs,
                .your_discriminator = to,
                .desired_min_tx_us = 100'000,
                .required_min_rx_us = 100'000};
    }
    void hear(BfdState state, std::uint32_t to = kOurs) { session.receive(from_remote(state, to), now); }
    void come_up() {
        hear(BfdState::down, 0);
        hear(BfdState::init);
        BfdPacket agreed = from_remote(BfdState::up);
        agreed.final = true;
        session.receive(agreed, now);
        ASSERT_EQ(session.state(), BfdState::up);
        sent.clear();
    }
    void run_until(std::uint64_t end) {
        while (session.next_deadline() <= end) {
            now = std::max(now, session.next_deadline());
            session.tick(now);
        }
        now = end;
    }

    struct Sent {
        std::uint64_t at;
        BfdPacket packet;
    };
    std::uint64_t now = 1'000'000;
    std::vector<Sent> sent;
    BfdSession session{kOurs, 100, now, [this](const BfdPacket& packet) { sent.push_back({now, packet}); }};
};

TEST_F(BfdAlone, SpeaksSlowlyToWhoDoesNotAnswer) {
    run_until(now + 60'000);
    ASSERT_GE(sent.size(), 59U);
    EXPECT_LE(sent.size(), 81U);
    for (std::size_t at = 1; at < sent.size(); ++at) {
        EXPECT_GE(sent[at].at - sent[at - 1].at, 750U);
        EXPECT_LE(sent[at].at - sent[at - 1].at, 1000U);
        EXPECT_EQ(sent[at].packet, (BfdPacket{.state = BfdState::down,
                                              .detect_multiplier = 3,
                                              .my_discriminator = kOurs,
                                              .desired_min_tx_us = 1'000'000,
                                              .required_min_rx_us = 100'000}));
    }
    EXPECT_EQ(session.is_alive(), std::nullopt) << "who never spoke is not known to be dead";
}

struct Transition {
    const char* name;
    std::vector<BfdState> heard;
    BfdState becomes;
    std::optional<bool> is_alive;
};
void PrintTo(const Transition& test, std::ostream* out) {
    *out << test.name;
}
using enum BfdState;
/// RFC 5880, section 6.8.6.
const Transition kTransitions[] = {
    {"Down hears Down", {down}, init, std::nullopt},
    {"Down hears Init", {init}, up, true},
    {"Down hears Up", {up}, down, std::nullopt},
    {"Down hears AdminDown", {admin_down}, down, std::nullopt},
    {"Init hears Down", {down, down}, init, std::nullopt},
    {"Init hears Init", {down, init}, up, true},
    {"Init hears Up", {down, up}, up, true},
    {"Init hears AdminDown", {down, admin_down}, down, std::nullopt},
    {"Up hears Init", {init, init}, up, true},
    {"Up hears Up", {init, up}, up, true},
    {"Up hears Down", {init, down}, down, false},
    {"Up hears AdminDown", {init, admin_down}, down, std::nullopt},
    {"who was dead hears AdminDown", {init, down, admin_down}, down, std::nullopt},
    {"who was dead lives again", {init, down, down, up}, up, true},
};
struct BfdTransition : BfdAlone, testing::WithParamInterface<Transition> {};
TEST_P(BfdTransition, IsThatOfTheRfc) {
    for (const BfdState state : GetParam().heard) hear(state);
    EXPECT_EQ(session.state(), GetParam().becomes);
    EXPECT_EQ(session.is_alive(), GetParam().is_alive);
}
INSTANTIATE_TEST_SUITE_P(All, BfdTransition, testing::ValuesIn(kTransitions));

TEST_F(BfdAlone, IgnoresWhatIsForAnotherSession) {
    come_up();
    hear(BfdState::down, kOurs + 1);
    EXPECT_EQ(session.state(), BfdState::up);
    run_until(now + 1000);
    EXPECT_EQ(session.state(), BfdState::down) << "and does not count it as a sign of life";
}

TEST_F(BfdAlone, SeesTheEndOfTheRemoteWithinThreeIntervals) {
    come_up();
    const std::uint64_t last = now;
    run_until(last + 299);
    EXPECT_EQ(session.is_alive(), true);
    run_until(last + 300);
    EXPECT_EQ(session.is_alive(), false);
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent.back().packet.diagnostic, BfdDiagnostic::detection_time_expired);
    EXPECT_EQ(sent.back().packet.your_discriminator, 0U) << "it may be another one that comes back";
    run_until(last + 60'000);
    EXPECT_LE(sent.size(), 90U) << "the slow pace again";
}

TEST_F(BfdAlone, ListensAsLongAsTheRemoteSaysItPauses) {
    BfdPacket slow = from_remote(BfdState::init);
    slow.desired_min_tx_us = 2'000'000;
    slow.detect_multiplier = 5;
    session.receive(slow, now);
    const std::uint64_t last = now;
    run_until(last + 9999);
    EXPECT_EQ(session.is_alive(), true);
    run_until(last + 10'000);
    EXPECT_EQ(session.is_alive(), false);
}

TEST_F(BfdAlone, SpeaksNoFasterThanTheRemoteListens) {
    BfdPacket slow = from_remote(BfdState::init);
    slow.required_min_rx_us = 5'000'000;
    slow.desired_min_tx_us = 60'000'000;
    session.receive(slow, now);
    sent.clear();
    run_until(now + 50'000);
    EXPECT_GE(sent.size(), 9U);
    EXPECT_LE(sent.size(), 14U);
}

TEST_F(BfdAlone, IsSilentWhereTheRemoteDoesNotListen) {
    BfdPacket deaf = from_remote(BfdState::init);
    deaf.required_min_rx_us = 0;
    deaf.desired_min_tx_us = 60'000'000;
    session.receive(deaf, now);
    sent.clear();
    run_until(now + 50'000);
    EXPECT_TRUE(sent.empty());
    session.receive(from_remote(BfdState::up), now);
    run_until(now + 200);
    EXPECT_FALSE(sent.empty()) << "until it does";
}

TEST_F(BfdAlone, IsSilentWhileTheRemoteDemandsIt) {
    come_up();
    BfdPacket demanding = from_remote(BfdState::up);
    demanding.demand = true;
    demanding.desired_min_tx_us = 60'000'000;
    session.receive(demanding, now);
    sent.clear();
    run_until(now + 10'000);
    EXPECT_TRUE(sent.empty());
}

TEST_F(BfdAlone, PollsUntilTheNewPaceIsAgreedOn) {
    hear(BfdState::down, 0);
    hear(BfdState::init);
    ASSERT_EQ(session.state(), BfdState::up);
    sent.clear();
    for (int round = 0; round < 5; ++round) {
        hear(BfdState::up);
        run_until(now + 100);
    }
    ASSERT_GE(sent.size(), 5U);
    for (const auto& [at, packet] : sent) {
        EXPECT_TRUE(packet.poll);
        EXPECT_EQ(packet.desired_min_tx_us, 100'000U);
    }
    BfdPacket answer = from_remote(BfdState::up);
    answer.final = true;
    session.receive(answer, now);
    sent.clear();
    run_until(now + 200);
    ASSERT_FALSE(sent.empty());
    EXPECT_FALSE(sent[0].packet.poll);
}

TEST_F(BfdAlone, AnswersAPollAtOnceAndNotWithoutBound) {
    come_up();
    BfdPacket poll = from_remote(BfdState::up);
    poll.poll = true;
    session.receive(poll, now);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].packet.final);
    EXPECT_FALSE(sent[0].packet.poll);
    for (int count = 0; count < 10'000; ++count) session.receive(poll, now);
    EXPECT_LE(sent.size(), 20U);
}

TEST_F(BfdAlone, KeepsTheOldPaceUntilTheRemoteKnowsOfASlowerOne) {
    come_up();
    session.set_interval(1000, now);
    const std::uint64_t start = now;
    for (int round = 0; round < 10; ++round) {
        hear(BfdState::up);
        run_until(now + 100);
    }
    EXPECT_EQ(now, start + 1000);
    EXPECT_GE(sent.size(), 9U);
    EXPECT_TRUE(sent.back().packet.poll);
    EXPECT_EQ(sent.back().packet.desired_min_tx_us, 1'000'000U);
    BfdPacket answer = from_remote(BfdState::up);
    answer.final = true;
    answer.desired_min_tx_us = 1'000'000;
    session.receive(answer, now);
    run_until(now + 100);  // what was planned at the old pace
    sent.clear();
    run_until(now + 2500);
    EXPECT_LE(sent.size(), 4U);
    EXPECT_EQ(session.state(), BfdState::up);
}

TEST_F(BfdAlone, GoesOnListeningAtTheOldPaceUntilTheRemoteKnowsOfAFasterOne) {
    come_up();
    session.set_interval(50, now);
    const std::uint64_t last = now;
    run_until(last + 299);
    EXPECT_EQ(session.is_alive(), true);
    run_until(last + 300);
    EXPECT_EQ(session.is_alive(), false);
}

TEST_F(BfdAlone, SaysGoodbye) {
    come_up();
    session.say_goodbye();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].packet.state, BfdState::admin_down);
    EXPECT_EQ(sent[0].packet.diagnostic, BfdDiagnostic::administratively_down);
    EXPECT_EQ(sent[0].packet.your_discriminator, kTheirs);
}

/// Two sessions, a packet taking a millisecond to the other, unless `loses` says that it does not come.
struct BfdPair : testing::Test {
    struct End {
        BfdSession session;
        std::deque<std::pair<std::uint64_t, BfdPacket>> coming;
    };
    void carry(int to, const BfdPacket& packet) {
        if (!loses || !loses(to)) ends[static_cast<std::size_t>(to)].coming.emplace_back(now + 1, packet);
    }
    /// Until `end`, or until `done`.
    bool run(std::uint64_t end, const std::function<bool()>& done = [] { return false; }) {
        for (; now < end; ++now) {
            for (End& at : ends) {
                while (!at.coming.empty() && at.coming.front().first <= now) {
                    at.session.receive(at.coming.front().second, now);
                    at.coming.pop_front();
                }
                at.session.tick(now);
            }
            if (done()) return true;
        }
        return false;
    }
    bool both(std::optional<bool> alive) {
        return ends[0].session.is_alive() == alive && ends[1].session.is_alive() == alive;
    }

    std::uint64_t now = 5000;
    std::function<bool(int to)> loses;
    End ends[2] = {{BfdSession(1, 50, now, [this](const BfdPacket& packet) { carry(1, packet); }), {}},
                   {BfdSession(2, 80, now, [this](const BfdPacket& packet) { carry(0, packet); }), {}}};
};

TEST_F(BfdPair, FindsItself) {
    EXPECT_TRUE(run(now + 2500, [&] { return both(true); }));
    EXPECT_FALSE(run(now + 60'000, [&] { return !both(true); })) << "and stays together";
}

TEST_F(BfdPair, SeesAFailureInThreeIntervalsOfTheSlowerAndComesBack) {
    for (int round = 0; round < 20; ++round) {
        loses = nullptr;
        ASSERT_TRUE(run(now + 3500, [&] { return both(true); })) << round;
        run(now + 500 + static_cast<std::uint64_t>(round) * 7);
        loses = [](int) { return true; };
        for (End& end : ends) end.coming.clear();
        const std::uint64_t cut = now;
        ASSERT_TRUE(run(now + 1000, [&] { return both(false); })) << round;
        EXPECT_LE(now - cut, 240U) << round;
    }
}

TEST_F(BfdPair, SeesAFailureOfOneWayAtBothEnds) {
    ASSERT_TRUE(run(now + 2500, [&] { return both(true); }));
    run(now + 500);
    loses = [](int to) { return to == 0; };
    EXPECT_TRUE(run(now + 250, [&] { return both(false); }));
    EXPECT_FALSE(run(now + 20'000, [&] { return !both(false); })) << "half a tunnel is none";
}

TEST_F(BfdPair, EndsThePollThoughPacketsAreLost) {
    // Three of four are: no link for a keepalive, but the state machine must get through it.
    int count = 0;
    loses = [&](int) { return ++count % 4 != 0; };
    ASSERT_TRUE(run(now + 60'000, [&] { return both(true); }));
    loses = nullptr;
    EXPECT_TRUE(run(now + 5000, [&] { return both(true); }));
    EXPECT_FALSE(run(now + 20'000, [&] { return !both(true); }));
}

TEST_F(BfdPair, TakesAnotherPaceWithoutALapse) {
    ASSERT_TRUE(run(now + 2500, [&] { return both(true); }));
    for (const std::uint32_t ms : {1000U, 60U, 5000U, 50U, 200U}) {
        ends[0].session.set_interval(ms, now);
        EXPECT_FALSE(run(now + 20'000, [&] { return !both(true); })) << ms;
    }
    loses = [](int) { return true; };
    EXPECT_TRUE(run(now + 601, [&] { return both(false); }));
}

}  // namespace
}  // namespace bulkhead::test
