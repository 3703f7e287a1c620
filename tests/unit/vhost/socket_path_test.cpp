// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/vhost/vhost_fixture.h"

namespace bulkhead::test {
namespace {

class SocketPathTest : public VhostTest {
  protected:
    Error refusal(const Port& port) {
        auto opened = open_vhost_port(port, 1500, pool_, 1, relay_, events_.sink());
        if (!opened) return opened.error();
        ADD_FAILURE() << "opened";
        return {};
    }
    static Port at(Port port, const std::string& path) {
        std::get<VhostUserDevice>(port.device).path = path;
        return port;
    }
    /// A socket file with a listener behind it, or one whose listener has gone.
    static int bind_socket(const std::string& path) {
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(listen(fd, 1), 0);
        return fd;
    }
};

TEST_F(SocketPathTest, says_what_is_wrong) {
    std::ofstream(folder_ + "/file") << "precious";
    const auto both = {VhostMode::client, VhostMode::server};
    for (const VhostMode mode : both) {
        const Error too_long = refusal(at(port(mode), "/tmp/" + std::string(103, 'x')));
        EXPECT_EQ(too_long.field, "/path");
        EXPECT_EQ(too_long.code, ErrorCode::invalid_params);
        EXPECT_EQ(too_long.allowed, "at most 107 bytes");

        const Error no_socket = refusal(at(port(mode), folder_ + "/file"));
        EXPECT_EQ(no_socket.field, "/path");
        EXPECT_NE(no_socket.message.find("no socket"), std::string::npos);

        EXPECT_EQ(refusal(at(port(mode), "relative.sock")).field, "/path");
        EXPECT_EQ(refusal(at(port(mode), "")).field, "/path");
    }
    EXPECT_TRUE(std::filesystem::exists(folder_ + "/file"));

    const Error no_folder = refusal(at(port(VhostMode::server), folder_ + "/absent/p.sock"));
    EXPECT_EQ(no_folder.field, "/path");
    EXPECT_EQ(no_folder.got, folder_ + "/absent");
}

TEST_F(SocketPathTest, a_path_of_107_bytes_fits) {
    auto longest = port(VhostMode::server);
    std::string& path = std::get<VhostUserDevice>(longest.device).path;
    path = folder_ + "/";
    path.append(107 - path.size(), 'x');
    auto opened = open(longest);
    EXPECT_TRUE(std::filesystem::is_socket(path));
}

TEST_F(SocketPathTest, a_stale_socket_is_replaced) {
    close(bind_socket(path()));
    auto opened = open(port(VhostMode::server));
    ASSERT_NE(opened, nullptr);
    FakeGuest guest = FakeGuest::connect_to(path());
    EXPECT_NE(guest.offered_features(), 0U);
}

TEST_F(SocketPathTest, a_live_socket_is_left_alone) {
    const int listener = bind_socket(path());
    const Error error = refusal(port(VhostMode::server));
    EXPECT_EQ(error.code, ErrorCode::in_use);
    EXPECT_EQ(error.field, "/path");
    EXPECT_TRUE(std::filesystem::is_socket(path()));
    close(listener);
}

TEST_F(SocketPathTest, what_another_has_put_in_our_sockets_place_stays) {
    auto opened = open(port(VhostMode::server));
    std::filesystem::remove(path());
    const int listener = bind_socket(path());
    opened.reset();
    EXPECT_TRUE(std::filesystem::is_socket(path())) << "another's socket";
    close(listener);

    opened = open(port(VhostMode::server));
    std::filesystem::remove(path());
    std::ofstream(path()) << "precious";
    opened.reset();
    EXPECT_TRUE(std::filesystem::is_regular_file(path()));
    std::filesystem::remove(path());

    opened = open(port(VhostMode::server));
    opened.reset();
    EXPECT_FALSE(std::filesystem::exists(path())) << "our own goes";
}

TEST_F(SocketPathTest, a_port_says_what_it_waits_for) {
    const auto awaited = [this](const PortIo& port) { return detail(port, "waiting_for"); };
    auto client = open(port(VhostMode::client));
    EXPECT_EQ(awaited(*client), "the guest's socket");
    std::ofstream(path()) << "x";
    EXPECT_EQ(awaited(*client), "the guest's socket: there is a file that is none");
    std::filesystem::remove(path());
    close(bind_socket(path()));
    EXPECT_EQ(awaited(*client), "a guest that listens on the socket");
    std::filesystem::remove(path());
    {
        FakeGuest guest = FakeGuest::listen_on(path());
        EXPECT_NE(guest.offered_features(), 0U);
        EXPECT_EQ(awaited(*client), "") << "it has a guest";
    }
    client.reset();
    std::filesystem::remove(path());

    auto server = open(port(VhostMode::server));
    EXPECT_EQ(awaited(*server), "a guest that connects");
    std::filesystem::remove(path());
    EXPECT_NE(awaited(*server).find("taken away"), std::string::npos);
}

TEST_F(SocketPathTest, a_path_serves_one_port) {
    auto first = open(port(VhostMode::client));
    EXPECT_EQ(refusal(port(VhostMode::client)).code, ErrorCode::in_use);
    first.reset();
    EXPECT_NE(open(port(VhostMode::client)), nullptr);
}

TEST_F(SocketPathTest, the_socket_gets_its_owner_and_mode) {
    Port owned = port(VhostMode::server);
    auto& device = std::get<VhostUserDevice>(owned.device);
    device.owner_uid = 64055;
    device.owner_gid = 107;
    device.socket_mode = 0620;
    auto opened = open(owned);
    struct stat found{};
    ASSERT_EQ(stat(path().c_str(), &found), 0);
    EXPECT_EQ(found.st_uid, 64055U);
    EXPECT_EQ(found.st_gid, 107U);
    EXPECT_EQ(found.st_mode & 07777, 0620U);
}

TEST_F(SocketPathTest, other_devices_and_queue_numbers_are_refused) {
    Port tap = port(VhostMode::client);
    tap.device = TapDevice{};
    EXPECT_EQ(refusal(tap).field, "/type");
    EXPECT_EQ(refusal(port(VhostMode::client, 0)).field, "/queues");
    EXPECT_EQ(refusal(port(VhostMode::client, kMaxQueues + 1)).field, "/queues");
}

}  // namespace
}  // namespace bulkhead::test
