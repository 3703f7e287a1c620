// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/message_socket.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <numeric>
#include <span>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bulkhead::vhost {
namespace {

using testing::HasSubstr;

class MessageSocketTest : public testing::Test {
  protected:
    static constexpr std::size_t kPayload = 40;

    MessageSocketTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        near_ = std::make_unique<MessageSocket>(UniqueFd(ends[0]));
        far_.reset(ends[1]);
    }

    static std::vector<std::byte> bytes_of(std::uint32_t size = kPayload) {
        const Header header{.request = 9, .flags = 1, .size = size};
        std::vector<std::byte> bytes(sizeof header + kPayload);
        std::memcpy(bytes.data(), &header, sizeof header);
        for (std::size_t at = 0; at < kPayload; ++at) bytes[sizeof header + at] = static_cast<std::byte>(at);
        return bytes;
    }
    void say(std::span<const std::byte> bytes, std::size_t descriptors = 0) const {
        std::array<int, 32> fds;
        fds.fill(STDERR_FILENO);
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
        iovec part{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
        msghdr envelope{};
        envelope.msg_iov = &part;
        envelope.msg_iovlen = 1;
        if (descriptors > 0) {
            envelope.msg_control = control.data();
            envelope.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
            cmsghdr* const rights = CMSG_FIRSTHDR(&envelope);
            *rights = {
                .cmsg_len = CMSG_LEN(descriptors * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
            std::memcpy(CMSG_DATA(rights), fds.data(), descriptors * sizeof(int));
        }
        EXPECT_EQ(sendmsg(far_.get(), &envelope, MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    std::string complaint() const {
        auto read = near_->read();
        if (!read) return read.error();
        ADD_FAILURE() << "no complaint";
        return {};
    }

    std::unique_ptr<MessageSocket> near_;
    UniqueFd far_;
};

TEST_F(MessageSocketTest, takes_a_message_in_any_pieces_once_it_is_whole) {
    const auto bytes = bytes_of();
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        say(std::span(bytes).first(cut), cut > 0 ? 2 : 0);
        if (cut < bytes.size()) {
            auto early = near_->read();
            ASSERT_TRUE(early);
            EXPECT_FALSE(*early) << cut;
            say(std::span(bytes).subspan(cut), cut > 0 ? 0 : 2);
        }
        auto read = near_->read();
        ASSERT_TRUE(read && *read) << cut;
        EXPECT_EQ((*read)->header.request, 9U);
        EXPECT_EQ((*read)->payload, std::vector(bytes.begin() + sizeof(Header), bytes.end()));
        EXPECT_EQ((*read)->descriptors.size(), 2U);
        for (const UniqueFd& fd : (*read)->descriptors) EXPECT_NE(fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
    }
}

TEST_F(MessageSocketTest, takes_one_message_at_a_time) {
    auto two = bytes_of();
    const auto one = two;
    two.insert(two.end(), one.begin(), one.end());
    say(two);
    for (int message = 0; message < 2; ++message) {
        auto read = near_->read();
        ASSERT_TRUE(read && *read);
    }
    EXPECT_FALSE(*near_->read());
}

TEST_F(MessageSocketTest, says_why_no_more_will_come) {
    say(bytes_of(kMostPayload + 1));
    EXPECT_THAT(complaint(), HasSubstr("513 bytes"));
}

TEST_F(MessageSocketTest, says_that_the_other_end_has_gone) {
    far_.reset();
    EXPECT_EQ(complaint(), "it has gone");
}

TEST_F(MessageSocketTest, says_that_the_other_end_has_gone_amid_a_message) {
    const auto bytes = bytes_of();
    say(std::span(bytes).first(20));
    far_.reset();
    EXPECT_FALSE(near_->read()) << "in one go";
}

TEST_F(MessageSocketTest, keeps_no_descriptor_too_many) {
    const auto open_descriptors = [] {
        int open = 0;
        for (int fd = 0; fd < 1024; ++fd) open += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
        return open;
    };
    const int before = open_descriptors();
    say(bytes_of(), 9);
    EXPECT_THAT(complaint(), HasSubstr("more than 8 descriptors"));
    near_.reset();
    EXPECT_EQ(open_descriptors(), before - 1);
}

TEST_F(MessageSocketTest, keeps_no_descriptor_of_many_pieces) {
    const auto bytes = bytes_of();
    say(std::span(bytes).first(1), 8);
    say(std::span(bytes).subspan(1), 1);
    EXPECT_THAT(complaint(), HasSubstr("more than 8 descriptors"));
}

TEST_F(MessageSocketTest, waits_for_nobody_who_does_not_read) {
    Message message;
    message.header = {.request = 1, .flags = 5, .size = kPayload};
    message.payload.resize(kPayload);
    unsigned written = 0;
    while (!near_->has_unsent()) {
        ASSERT_TRUE(near_->write(Message{.header = message.header, .payload = message.payload, .descriptors = {}}));
        ++written;
        ASSERT_LT(written, 1'000'000U);
    }
    std::array<std::byte, sizeof(Header) + kPayload> read;
    for (unsigned at = 0; at < written; ++at) {
        ASSERT_EQ(recv(far_.get(), read.data(), read.size(), MSG_WAITALL), static_cast<ssize_t>(read.size()));
        ASSERT_TRUE(near_->flush());
    }
    EXPECT_FALSE(near_->has_unsent());
}

}  // namespace
}  // namespace bulkhead::vhost
