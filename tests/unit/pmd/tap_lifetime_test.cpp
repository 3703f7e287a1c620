// SPDX-License-Identifier: Apache-2.0
// A pod keeps its device and its addresses when the switch ends, and loses them when the port is removed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pmd/tap/tap_interface.h"
#include "tests/unit/pmd/support/test_namespace.h"

namespace bulkhead {
namespace {

class TapLifetime : public testing::Test {
  protected:
    [[nodiscard]] Result<TapInterface> open(std::uint16_t queues = 1) const {
        return TapInterface::open(wanted_, queues, 1400);
    }

    test::TestNamespace pod_;
    TapDevice wanted_{.netns = pod_.path(), .ifname = "net1", .mac = {}, .owner_uid = {}};
};

TEST_F(TapLifetime, OutlivesTheSwitchWithMacAndAddresses) {
    auto first = open();
    ASSERT_TRUE(first) << first.error().message;
    const auto mac = first->mac();
    pod_.command("addr add 10.9.8.7/24 dev net1");
    {
        const auto closed = std::move(first);
    }
    ASSERT_TRUE(pod_.has_link("net1"));

    const auto second = open(2);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->mac(), mac);
    EXPECT_EQ(second->link(), TapInterface::Link::up);
    EXPECT_NE(pod_.show("net1").find("10.9.8.7/24"), std::string::npos);
}

TEST_F(TapLifetime, OutlivesAKilledSwitch) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        const auto tap = open();
        const char answer = tap ? 'y' : 'n';
        if (write(ready[1], &answer, 1) == 1) pause();
        _exit(0);
    }
    char answer = 0;
    ASSERT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    pod_.command("addr add fd00::7/64 dev net1");
    EXPECT_EQ(open().error().code, ErrorCode::in_use);  // while the other lives
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);

    const auto tap = open();
    ASSERT_TRUE(tap) << tap.error().message;
    EXPECT_NE(pod_.show("net1").find("fd00::7/64"), std::string::npos);
}

TEST_F(TapLifetime, GoesWhenItIsForgotten) {
    auto tap = open(2);
    ASSERT_TRUE(tap);
    tap->forget();
    EXPECT_TRUE(pod_.has_link("net1"));
    {
        const auto closed = std::move(tap);
    }
    EXPECT_FALSE(pod_.has_link("net1"));
}

TEST_F(TapLifetime, TakesAddressMtuAndOwnerFromTheConfiguration) {
    wanted_.mac = MacAddress::parse("02:00:00:00:00:0b");
    wanted_.owner_uid = 1234;
    const auto tap = open();
    ASSERT_TRUE(tap) << tap.error().message;
    EXPECT_EQ(tap->mac(), wanted_.mac);
    const auto shown = pod_.show("net1");
    EXPECT_NE(shown.find("mtu 1400"), std::string::npos) << shown;
    EXPECT_NE(shown.find("02:00:00:00:00:0b"), std::string::npos) << shown;
    std::string details;
    pod_.run([&] {
        FILE* const pipe = popen("ip -d -o link show dev net1", "re");
        char line[2048];
        if (fgets(line, sizeof(line), pipe) != nullptr) details = line;
        pclose(pipe);
    });
    EXPECT_NE(details.find("user 1234"), std::string::npos) << details;
    EXPECT_NE(details.find("persist on"), std::string::npos) << details;
}

TEST_F(TapLifetime, ANamespaceThatWasRemovedIsGoneThoughTheDeviceKeepsItAlive) {
    std::optional<test::TestNamespace> pod(std::in_place);
    wanted_.netns = pod->path();
    const auto tap = open();
    ASSERT_TRUE(tap);
    pod.reset();
    EXPECT_TRUE(tap->mac()) << "the descriptors pin it";
    EXPECT_EQ(tap->link(), TapInterface::Link::gone) << "but whoever removed it wants it gone";
}

}  // namespace
}  // namespace bulkhead
