// SPDX-License-Identifier: Apache-2.0
// Two pods' kernels speak TCP through two TAP ports: super-segments and undone checksums must cross as they are.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "pmd/tap/tap_port.h"
#include "tests/unit/pmd/support/frames.h"
#include "tests/unit/pmd/support/test_namespace.h"
#include "vswitch/packet/refused_frame.h"

namespace bulkhead {
namespace {

constexpr std::size_t kTransfer = 64U << 20;

struct Endpoint {
    sockaddr_storage address{};
    socklen_t size = 0;
};

Endpoint endpoint(int family, const char* text) {
    Endpoint result;
    if (family == AF_INET) {
        auto* address = reinterpret_cast<sockaddr_in*>(&result.address);
        *address = {.sin_family = AF_INET, .sin_port = htons(5000), .sin_addr = {}, .sin_zero = {}};
        inet_pton(family, text, &address->sin_addr);
        result.size = sizeof(*address);
    } else {
        auto* address = reinterpret_cast<sockaddr_in6*>(&result.address);
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(5000);
        inet_pton(family, text, &address->sin6_addr);
        result.size = sizeof(*address);
    }
    return result;
}

std::uint8_t byte_at(std::size_t offset) {
    return static_cast<std::uint8_t>(offset * 31 + (offset >> 11));
}

UniqueFd tcp_socket(int family) {
    UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

/// Sends the pattern; returns how many bytes went out.
std::size_t send_pattern(int fd) {
    std::vector<std::uint8_t> chunk(256U << 10);
    std::size_t sent = 0;
    while (sent < kTransfer) {
        for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = byte_at(sent + i);
        for (std::size_t done = 0; done < chunk.size();) {
            const auto size = send(fd, chunk.data() + done, chunk.size() - done, MSG_NOSIGNAL);
            if (size <= 0) return sent + done;
            done += static_cast<std::size_t>(size);
        }
        sent += chunk.size();
    }
    return sent;
}

/// Reads until the end; returns how many bytes were those of the pattern.
std::size_t receive_pattern(int fd) {
    std::vector<std::uint8_t> chunk(256U << 10);
    std::size_t good = 0;
    while (true) {
        const auto size = recv(fd, chunk.data(), chunk.size(), 0);
        if (size <= 0) return good;
        for (ssize_t i = 0; i < size; ++i) {
            if (chunk[static_cast<std::size_t>(i)] != byte_at(good)) return good;
            ++good;
        }
    }
}

class TapTcp : public test::PoolCheck, public testing::WithParamInterface<int> {
  protected:
    struct Pod {
        test::TestNamespace space;
        std::unique_ptr<PortIo> port;
    };

    static void open(Pod& pod, const std::string& address) {
        Port port;
        port.name = "pod";
        port.device = TapDevice{.netns = pod.space.path(), .ifname = "net1", .mac = {}, .owner_uid = {}};
        auto opened = open_tap_port(port, 1500, test::buffers(), 1, {});
        ASSERT_TRUE(opened) << opened.error().message;
        pod.port = std::move(*opened);
        // nodad: else an IPv6 address is tentative, and cannot be bound, until the kernel comes round to it.
        pod.space.command("addr add " + address + " dev net1" +
                          (address.find(':') == std::string::npos ? "" : " nodad"));
    }

    /// Passes on what one port has to the other. A frame is lost only where the far side's kernel refuses it.
    void forward(PortIo& from, PortIo& to) {
        std::array<rte_mbuf*, 32> frames{};
        const std::uint16_t count = from.receive(0, frames.data(), 32);
        for (std::uint16_t i = 0; i < count; ++i) {
            if (is_refused(*frames[i])) ++unsound_;
            const bool super = (frames[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
            if (super) largest_ = std::max(largest_, frames[i]->pkt_len);
            if ((frames[i]->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0) ++unfinished_;
        }
        const auto taken = to.transmit(0, frames.data(), count).taken;
        refused_ += count - taken;
        rte_pktmbuf_free_bulk(frames.data() + taken, count - taken);
    }

    /// Bridges the ports until `done` is written to.
    void bridge(int done) {
        while (true) {
            pollfd wait[3] = {{.fd = client_.port->wake_fd(0), .events = POLLIN, .revents = 0},
                              {.fd = server_.port->wake_fd(0), .events = POLLIN, .revents = 0},
                              {.fd = done, .events = POLLIN, .revents = 0}};
            ASSERT_GT(poll(wait, 3, 30000), 0);
            if (wait[2].revents != 0) return;
            forward(*client_.port, *server_.port);
            forward(*server_.port, *client_.port);
        }
    }

    void TearDown() override {
        client_.port.reset();
        server_.port.reset();
        PoolCheck::TearDown();
    }

    Pod client_, server_;
    std::uint32_t largest_ = 0;
    std::size_t unfinished_ = 0, refused_ = 0, unsound_ = 0;
};

TEST_P(TapTcp, CarriesAStreamWithOffloads) {
    const bool ipv4 = GetParam() == AF_INET;
    open(client_, ipv4 ? "10.0.0.1/24" : "fd00::1/64");
    open(server_, ipv4 ? "10.0.0.2/24" : "fd00::2/64");
    const auto address = endpoint(GetParam(), ipv4 ? "10.0.0.2" : "fd00::2");

    UniqueFd listener, talker;
    server_.space.run([&] { listener = tcp_socket(GetParam()); });
    client_.space.run([&] { talker = tcp_socket(GetParam()); });
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);

    const UniqueFd done(eventfd(0, EFD_CLOEXEC));
    std::size_t sent = 0, received = 0;
    std::thread server([&] {
        const UniqueFd connection(accept(listener.get(), nullptr, nullptr));
        received = receive_pattern(connection.get());
        eventfd_write(done.get(), 1);
    });
    std::thread client([&] {
        if (connect(talker.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) == 0) {
            sent = send_pattern(talker.get());
        }
        shutdown(talker.get(), SHUT_WR);
    });
    bridge(done.get());
    client.join();
    server.join();
    EXPECT_EQ(sent, kTransfer);
    EXPECT_EQ(received, kTransfer);
    EXPECT_GT(largest_, 30000U) << "no super-segment crossed";
    EXPECT_GT(unfinished_, 0U) << "no checksum crossed undone";
    EXPECT_EQ(refused_, 0U);
    EXPECT_EQ(unsound_, 0U);
}

INSTANTIATE_TEST_SUITE_P(Families, TapTcp, testing::Values(AF_INET, AF_INET6),
                         [](const auto& family) { return family.param == AF_INET ? "IPv4" : "IPv6"; });

}  // namespace
}  // namespace bulkhead
