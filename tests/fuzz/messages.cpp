// SPDX-License-Identifier: Apache-2.0
// A hostile vhost-user front-end, up to librte_vhost: what it says goes through a socket to MessageSocket and
// Inspector. The input is a list of pieces, each
//   one octet   bits 0 … 3 how many descriptors go with it, 4 … 6 of which kind the first is (the others follow in
//               turn), 7 nothing is read after it
//   one octet   its length
//   the piece, or what is left of the input: messages need not begin or end with it.
// The first octet is the number of queue pairs. A message that passes must have its size and its descriptors, and be
// about a ring that there is; every descriptor must be closed in the end.
#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <span>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vhost/relay/inspector.h"
#include "vhost/relay/message_socket.h"

namespace bulkhead::vhost {
namespace {

constexpr std::size_t kKinds = 8;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Of each kind one, made once: memory, eventfds, and what is neither.
const std::array<int, kKinds>& files() {
    static const std::array<int, kKinds> all = [] {
        std::array<int, kKinds> made{};
        for (int& fd : made) fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        const auto memory = [](off_t bytes, unsigned flags) {
            const int fd = memfd_create("guest", MFD_CLOEXEC | flags);
            require(ftruncate(fd, bytes) == 0, "memory");
            return fd;
        };
        made[2] = memory(1 << 20, MFD_ALLOW_SEALING);
        made[3] = memory(4096, 0);
        made[4] = memory(0, 0);
        made[5] = open("/dev/null", O_RDWR | O_CLOEXEC);
        made[6] = open("/", O_PATH | O_CLOEXEC);
        return made;
    }();
    return all;
}

/// False: the socket takes no more, or the reader has hung up.
bool say(int socket, std::span<const std::uint8_t> octets, std::size_t descriptors, std::size_t first_kind) {
    std::array<int, 15> sent{};
    for (std::size_t at = 0; at < descriptors; ++at) sent[at] = files()[(first_kind + at) % kKinds];
    iovec part{.iov_base = const_cast<std::uint8_t*>(octets.data()), .iov_len = octets.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sent)> control{};
    msghdr envelope{};
    envelope.msg_iov = &part;
    envelope.msg_iovlen = 1;
    if (descriptors > 0) {
        envelope.msg_control = control.data();
        envelope.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        cmsghdr* const rights = CMSG_FIRSTHDR(&envelope);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
        std::memcpy(CMSG_DATA(rights), sent.data(), descriptors * sizeof(int));
    }
    return sendmsg(socket, &envelope, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

void check_passed(const Message& message, std::size_t rings) {
    require(message.payload.size() == message.header.size, "a message of another length than it says");
    require(message.payload.size() <= kMostPayload && message.descriptors.size() <= kMostDescriptors, "too much");
    require((message.header.flags & (kVersionMask | kIsReply)) == kVersion, "flags");
    for (const UniqueFd& fd : message.descriptors) require(fcntl(fd.get(), F_GETFD) >= 0, "a descriptor that is none");
    switch (message.request()) {
        case Request::set_vring_num:
        case Request::set_vring_base:
        case Request::get_vring_base:
        case Request::set_vring_enable:
            require(message.get<VringState>() && message.get<VringState>()->index < rings, "a ring that is none");
            return;
        case Request::set_vring_addr:
            require(message.payload.size() == 40 && *message.get<std::uint32_t>() < rings, "a ring that is none");
            return;
        case Request::set_vring_kick:
        case Request::set_vring_call:
        case Request::set_vring_err: {
            const auto ring = message.get<std::uint64_t>();
            require(ring && (*ring & kRingMask) < rings, "a ring that is none");
            require(message.descriptors.size() == ((*ring & kNoDescriptor) != 0 ? 0 : 1), "its descriptor");
            return;
        }
        case Request::set_mem_table: {
            const auto regions = message.get<std::uint32_t>();
            require(regions && *regions >= 1 && *regions == message.descriptors.size(), "regions without memory");
            require(message.payload.size() == kRegionsBegin + *regions * sizeof(MemoryRegion), "regions");
            return;
        }
        default:
            return;
    }
}

/// False: the session is over.
bool listen(MessageSocket& socket, Inspector& inspector, std::size_t rings) {
    while (true) {
        auto read = socket.read();
        if (!read || !*read) return read.has_value();
        if (inspector.objection_to(**read)) return false;
        check_passed(**read, rings);
    }
}

/// Of the first numbers, more than a run opens.
std::bitset<256> open_files() {
    std::bitset<256> open;
    for (std::size_t fd = 0; fd < open.size(); ++fd) open[fd] = fcntl(static_cast<int>(fd), F_GETFD) >= 0;
    return open;
}

void play(std::span<const std::uint8_t> input) {
    const auto pairs = static_cast<std::uint16_t>(1 + input[0] % 8);
    std::array<int, 2> ends{};
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    const UniqueFd guest(ends[0]);
    MessageSocket socket{UniqueFd(ends[1])};
    Inspector inspector(pairs);
    for (input = input.subspan(1); input.size() > 2;) {
        const std::uint8_t how = input[0];
        const auto piece = input.subspan(2, std::min<std::size_t>(input[1], input.size() - 2));
        input = input.subspan(2 + piece.size());
        if (!say(guest.get(), piece, how & 0x0f, how >> 4 & 0x07)) return;
        if ((how & 0x80) == 0 && !listen(socket, inspector, 2U * pairs)) return;
    }
    (void)listen(socket, inspector, 2U * pairs);
}

}  // namespace
}  // namespace bulkhead::vhost

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bulkhead::vhost;
    if (size == 0) return 0;
    (void)files();
    const auto before = open_files();
    play({data, size});
    require(open_files() == before, "a descriptor stayed open");
    return 0;
}
