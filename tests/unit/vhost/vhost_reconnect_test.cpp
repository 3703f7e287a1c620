// SPDX-License-Identifier: Apache-2.0
// Client mode: the guest's socket comes, goes and comes back; whoever may write to its folder is not trusted.
#include <chrono>
#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/vhost/vhost_fixture.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::test {
namespace {

using std::chrono::milliseconds;

class VhostReconnectTest : public VhostTest {
  protected:
    static UniqueFd listen_at(const std::string& path) {
        UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path;
        EXPECT_EQ(listen(fd.get(), 4), 0);
        return fd;
    }
    /// Until they are a second apart, so that only the folder can tell in time. Time is what is needed: there is no
    /// event.
    static void let_looks_grow_rare() { std::this_thread::sleep_for(milliseconds(1400)); }
    static bool somebody_connects(const UniqueFd& listener, milliseconds within) {
        pollfd waiting{.fd = listener.get(), .events = POLLIN, .revents = 0};
        return poll(&waiting, 1, static_cast<int>(within.count())) == 1;
    }
};

TEST_F(VhostReconnectTest, a_guest_that_comes_back_is_met_at_once) {
    auto port = open(VhostTest::port(VhostMode::client));
    for (int visit = 0; visit < 3; ++visit) {
        let_looks_grow_rare();
        const auto start = std::chrono::steady_clock::now();
        {
            FakeGuest guest = FakeGuest::listen_on(path());
            guest.start(kPlainGuest);
            ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit + 1));
        }
        EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(200)) << visit;
        std::filesystem::remove(path());
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit + 1));
    }
}

TEST_F(VhostReconnectTest, a_guest_that_stays_and_drops_the_connection_is_called_again) {
    const UniqueFd listener = listen_at(path());
    auto port = open(VhostTest::port(VhostMode::client));
    for (int visit = 0; visit < 4; ++visit) {
        ASSERT_TRUE(somebody_connects(listener, milliseconds(1500))) << visit;
        const UniqueFd guest(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
}

TEST_F(VhostReconnectTest, a_folder_that_comes_later_is_found) {
    auto waiting = VhostTest::port(VhostMode::client);
    std::get<VhostUserDevice>(waiting.device).path = folder_ + "/pod/net/p.sock";
    auto port = open(waiting);
    std::filesystem::create_directory(folder_ + "/pod");
    std::filesystem::create_directory(folder_ + "/pod/net");
    let_looks_grow_rare();
    const UniqueFd listener = listen_at(folder_ + "/pod/net/p.sock");
    EXPECT_TRUE(somebody_connects(listener, milliseconds(200)));
}

TEST_F(VhostReconnectTest, a_link_in_the_sockets_place_is_not_followed) {
    const UniqueFd elsewhere = listen_at(path("elsewhere.sock"));
    std::filesystem::create_symlink(path("elsewhere.sock"), path());
    auto linked = open_vhost_port(VhostTest::port(VhostMode::client), 1500, pool_, 1, relay_, events_.sink());
    ASSERT_FALSE(linked) << "seen at once";
    EXPECT_EQ(linked.error().field, "/path");

    std::filesystem::remove(path());
    auto port = open(VhostTest::port(VhostMode::client));
    std::filesystem::create_symlink(path("elsewhere.sock"), path());
    EXPECT_FALSE(somebody_connects(elsewhere, milliseconds(300))) << "put there later";
    std::filesystem::remove(path());
    const UniqueFd own = listen_at(path());
    EXPECT_TRUE(somebody_connects(own, milliseconds(200)));
}

/// Below a root folders may be pods', which can put links there at any time; the root itself may well be reached by
/// one.
class LinkedFoldersTest : public VhostReconnectTest {
  protected:
    void SetUp() override {
        VhostReconnectTest::SetUp();
        for (const char* folder : {"roots", "roots/mine", "roots/mine/net", "roots/other", "roots/other/net"})
            std::filesystem::create_directory(path(folder));
        std::filesystem::create_directory_symlink(path("roots"), path("run"));
        careful_ = vhost::Relay::create({path("elsewhere"), path("run/")}).value();
    }
    Result<std::unique_ptr<PortIo>> open_at(const std::string& place, VhostMode mode) {
        auto wanted = VhostTest::port(mode);
        std::get<VhostUserDevice>(wanted.device).path = path(place.c_str());
        return open_vhost_port(wanted, 1500, pool_, 1, careful_, events_.sink());
    }
    void put_link_in_place_of(const char* folder, const char* target) {
        std::filesystem::remove(path(folder));
        std::filesystem::create_directory_symlink(path(target), path(folder));
    }

    std::shared_ptr<vhost::Relay> careful_;
};

TEST_F(LinkedFoldersTest, a_guest_is_found_below_the_root) {
    const UniqueFd listener = listen_at(path("roots/mine/net/p.sock"));
    auto port = open_at("run/mine/net/p.sock", VhostMode::client);
    ASSERT_TRUE(port);
    EXPECT_TRUE(somebody_connects(listener, milliseconds(200)));
}

TEST_F(LinkedFoldersTest, a_link_in_place_of_a_folder_leads_to_no_other_guest) {
    const UniqueFd elsewhere = listen_at(path("roots/other/net/p.sock"));
    auto port = open_at("run/mine/net/p.sock", VhostMode::client);
    ASSERT_TRUE(port);
    put_link_in_place_of("roots/mine/net", "roots/other/net");
    EXPECT_FALSE(somebody_connects(elsewhere, milliseconds(300))) << "put there later";
    EXPECT_NE(detail(**port, "waiting_for").find("symbolic link"), std::string::npos) << "and the port says so";
    port->reset();

    for (const VhostMode mode : {VhostMode::client, VhostMode::server}) {
        auto linked = open_at("run/mine/net/p.sock", mode);
        ASSERT_FALSE(linked) << "seen at once";
        EXPECT_EQ(linked.error().field, "/path");
        EXPECT_NE(linked.error().message.find("symbolic link"), std::string::npos) << linked.error().message;
    }
}

TEST_F(LinkedFoldersTest, our_socket_is_made_and_removed_where_the_port_says) {
    auto port = open_at("run/mine/net/p.sock", VhostMode::server);
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_TRUE(std::filesystem::is_socket(path("roots/mine/net/p.sock")));
    // What lies there by the same name is another's.
    const UniqueFd elsewhere = listen_at(path("roots/other/net/p.sock"));
    std::filesystem::rename(path("roots/mine/net"), path("roots/mine/moved"));
    put_link_in_place_of("roots/mine/net", "roots/other/net");
    port->reset();
    EXPECT_TRUE(std::filesystem::is_socket(path("roots/other/net/p.sock")));
}

TEST_F(LinkedFoldersTest, a_name_that_would_not_fit_is_refused) {
    careful_ = vhost::Relay::create({folder_}).value();
    EXPECT_TRUE(open_at(std::string(80, 'x'), VhostMode::server));
    auto too_long = open_at(std::string(81, 'x'), VhostMode::server);
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().allowed, "at most 80 bytes behind the last '/'");
    EXPECT_TRUE(open_at(std::string(81, 'x'), VhostMode::client)) << "we make no such socket";
}

TEST_F(LinkedFoldersTest, a_root_is_known_however_it_is_written) {
    put_link_in_place_of("roots/mine/net", "roots/other/net");
    for (const char* place : {"run//mine/net/p.sock", "./run/mine/net/p.sock", "run/./mine//net/p.sock"})
        EXPECT_FALSE(open_at(place, VhostMode::client)) << place;
}

TEST_F(LinkedFoldersTest, outside_all_roots_links_are_the_admins) {
    std::filesystem::create_directory(path("admin"));
    std::filesystem::create_directory_symlink(path("admin"), path("short"));
    const UniqueFd listener = listen_at(path("admin/p.sock"));
    auto port = open_at("short/p.sock", VhostMode::client);
    ASSERT_TRUE(port);
    EXPECT_TRUE(somebody_connects(listener, milliseconds(200)));
}

}  // namespace
}  // namespace bulkhead::test
