// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pmd/support/test_namespace.h"

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <thread>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

constexpr int kPatienceMs = 5000;

std::string output_of(const std::string& command) {
    std::string output;
    FILE* const pipe = popen(command.c_str(), "re");
    std::array<char, 512> buffer{};
    while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), size);
    pclose(pipe);
    return output;
}

}  // namespace

TestNamespace::TestNamespace() {
    std::thread([this] {
        ASSERT_EQ(unshare(CLONE_NEWNET), 0) << "needs root";
        fd_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }).join();
}

std::string TestNamespace::path() const {
    return "/proc/self/fd/" + std::to_string(fd_.get());
}

void TestNamespace::run(const std::function<void()>& work) const {
    std::thread([&] {
        ASSERT_EQ(setns(fd_.get(), CLONE_NEWNET), 0);
        work();
    }).join();
}

void TestNamespace::command(const std::string& line) const {
    run([&] { EXPECT_EQ(output_of("ip " + line + " 2>&1"), "") << line; });
}

bool TestNamespace::has_link(const std::string& name) const {
    unsigned index = 0;
    run([&] { index = if_nametoindex(name.c_str()); });
    return index != 0;
}

std::string TestNamespace::show(const std::string& name) const {
    std::string text;
    run([&] { text = output_of("ip -o addr show dev " + name + "; ip -o link show dev " + name); });
    return text;
}

UniqueFd TestNamespace::packet_socket(const std::string& name, std::uint16_t ether_type) const {
    UniqueFd fd;
    run([&] {
        fd = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ether_type)));
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_protocol = htons(ether_type);
        address.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
        EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    });
    return fd;
}

bool wait_readable(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    return poll(&wait, 1, kPatienceMs) == 1;
}

std::optional<std::vector<std::uint8_t>> next_frame(const UniqueFd& socket) {
    if (!wait_readable(socket.get())) return std::nullopt;
    std::vector<std::uint8_t> frame(70000);
    const auto size = recv(socket.get(), frame.data(), frame.size(), 0);
    if (size < 0) return std::nullopt;
    frame.resize(static_cast<std::size_t>(size));
    return frame;
}

}  // namespace bulkhead::test
