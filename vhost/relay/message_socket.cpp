// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/message_socket.h"

#include <array>
#include <cerrno>
#include <span>
#include <sys/socket.h>
#include <utility>

namespace bulkhead::vhost {
namespace {

using ControlBuffer = std::array<std::byte, CMSG_SPACE(kMostDescriptors * sizeof(int))>;

/// Takes over every descriptor that came, wanted or not: none may be left open.
void take_descriptors(msghdr& envelope, std::vector<UniqueFd>& into) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&envelope); part != nullptr; part = CMSG_NXTHDR(&envelope, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = 0; at + CMSG_LEN(0) < part->cmsg_len; at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
            into.emplace_back(fd);
        }
    }
}

void attach(msghdr& envelope, ControlBuffer& control, const std::vector<UniqueFd>& descriptors) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    envelope.msg_control = control.data();
    envelope.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* const part = CMSG_FIRSTHDR(&envelope);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    for (std::size_t at = 0; at < descriptors.size(); ++at) {
        const int fd = descriptors[at].get();
        std::memcpy(CMSG_DATA(part) + at * sizeof fd, &fd, sizeof fd);
    }
}

}  // namespace

/// How long the message is, as far as one can tell.
std::size_t MessageSocket::wanted() const {
    if (read_.size() < sizeof(Header)) return sizeof(Header);
    Header header;
    std::memcpy(&header, read_.data(), sizeof header);
    return sizeof(Header) + header.size;
}

std::expected<std::optional<Message>, std::string> MessageSocket::read() {
    while (true) {
        const std::size_t have = read_.size(), missing = wanted() - have;
        if (missing > kMostPayload)
            return std::unexpected("a message of " + std::to_string(missing) + " bytes (at most " +
                                   std::to_string(kMostPayload) + ")");
        if (have >= sizeof(Header) && missing == 0) break;
        std::array<std::byte, kMostPayload> bytes;
        alignas(cmsghdr) ControlBuffer control;
        iovec part{.iov_base = bytes.data(), .iov_len = missing};
        msghdr envelope{};
        envelope.msg_iov = &part;
        envelope.msg_iovlen = 1;
        envelope.msg_control = control.data();
        envelope.msg_controllen = control.size();
        const ssize_t got = ::recvmsg(fd(), &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
        if (got < 0 && errno != ECONNRESET)
            return std::unexpected("the connection failed: " + std::string(std::strerror(errno)));
        if (got > 0) take_descriptors(envelope, descriptors_);
        if (got <= 0) return std::unexpected(have == 0 ? "it has gone" : "it has gone amid a message");
        if ((envelope.msg_flags & MSG_CTRUNC) != 0 || descriptors_.size() > kMostDescriptors)
            return std::unexpected("a message with more than " + std::to_string(kMostDescriptors) +
                                   " descriptors, or we have none left");
        read_.insert(read_.end(), bytes.begin(), bytes.begin() + got);
    }
    Message message;
    std::memcpy(&message.header, read_.data(), sizeof message.header);
    message.payload.assign(read_.begin() + sizeof(Header), read_.end());
    message.descriptors = std::exchange(descriptors_, {});
    read_.clear();
    return message;
}

bool MessageSocket::write(Message message) {
    const auto header = std::as_bytes(std::span(&message.header, 1));
    std::vector<std::byte> bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), message.payload.begin(), message.payload.end());
    unsent_ = Unsent{.bytes = std::move(bytes), .sent = 0, .descriptors = std::move(message.descriptors)};
    return flush();
}

bool MessageSocket::flush() {
    while (unsent_) {
        iovec part{.iov_base = unsent_->bytes.data() + unsent_->sent, .iov_len = unsent_->bytes.size() - unsent_->sent};
        alignas(cmsghdr) ControlBuffer control{};
        msghdr envelope{};
        envelope.msg_iov = &part;
        envelope.msg_iovlen = 1;
        if (unsent_->sent == 0 && !unsent_->descriptors.empty()) attach(envelope, control, unsent_->descriptors);
        const ssize_t sent = ::sendmsg(fd(), &envelope, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
        unsent_->sent += static_cast<std::size_t>(sent);
        if (unsent_->sent == unsent_->bytes.size()) unsent_.reset();
    }
    return true;
}

}  // namespace bulkhead::vhost
