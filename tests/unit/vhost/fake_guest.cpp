// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/vhost/fake_guest.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bulkhead::test {
namespace {

// vhost-user.rst, "Front-end message types".
enum Request : std::uint32_t {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    set_mem_table = 5,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kProtocolMultiqueue = 1;
constexpr std::uint64_t kProtocolFeatures = 1ULL << 30;
constexpr std::size_t kRingBytes = 8192;  // descriptors, available and used of one ring, with room
constexpr std::uint16_t kDeviceWrites = 2;
constexpr std::uint64_t kNoDescriptor = 1U << 8;  // beside the ring's number
constexpr std::uint64_t kRingPacked = 1ULL << 34;
constexpr std::uint32_t kFirstRound = 1U << 15;  // virtio 1.1, section 2.7.1: the wrap counters begin at 1

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

}  // namespace

FakeGuest::FakeGuest(int socket) : socket_(socket) {}

FakeGuest::FakeGuest(FakeGuest&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      memory_fd_(std::exchange(other.memory_fd_, -1)),
      memory_(std::exchange(other.memory_, nullptr)),
      memory_size_(other.memory_size_),
      rings_(std::exchange(other.rings_, {})) {}

FakeGuest::~FakeGuest() {
    if (socket_ >= 0) close(socket_);
    for (const Ring& ring : rings_) {
        close(ring.kick);
        close(ring.call);
    }
    if (memory_ != nullptr) munmap(memory_, memory_size_);
    if (memory_fd_ >= 0) close(memory_fd_);
}

FakeGuest FakeGuest::connect_to(const std::string& path) {
    FakeGuest guest(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_un address = address_of(path);
    check(::connect(guest.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
    return guest;
}

FakeGuest FakeGuest::listen_on(const std::string& path) {
    FakeGuest listener(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const sockaddr_un address = address_of(path);
    unlink(path.c_str());
    check(bind(listener.socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    check(listen(listener.socket_, 1), "listen");
    return FakeGuest(check(accept4(listener.socket_, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

void FakeGuest::message(std::uint32_t request, const void* payload, std::uint32_t size, int fd) {
    message(request, kVersion, payload, size, {&fd, fd >= 0 ? std::size_t{1} : std::size_t{0}});
}

void FakeGuest::message(std::uint32_t request, std::uint32_t flags, const void* payload, std::uint32_t size,
                        std::span<const int> descriptors) {
    std::uint32_t header[3] = {request, flags, size};
    iovec parts[2] = {{header, sizeof header}, {const_cast<void*>(payload), size}};
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))]{};
    msghdr envelope{};
    envelope.msg_iov = parts;
    envelope.msg_iovlen = 2;
    if (!descriptors.empty()) {
        envelope.msg_control = control;
        envelope.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* rights = CMSG_FIRSTHDR(&envelope);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    check(static_cast<int>(sendmsg(socket_, &envelope, MSG_NOSIGNAL)), "sendmsg");
}

std::uint64_t FakeGuest::ask(std::uint32_t request) {
    message(request, nullptr, 0);
    struct [[gnu::packed]] {
        std::uint32_t request, flags, size;
        std::uint64_t value;
    } reply{};
    if (recv(socket_, &reply, sizeof reply, MSG_WAITALL) != sizeof reply) throw std::runtime_error("no reply");
    return reply.value;
}

std::uint64_t FakeGuest::offered_features() {
    return ask(get_features);
}
std::uint64_t FakeGuest::offered_queue_pairs() {
    return ask(get_queue_num);
}

void FakeGuest::set_ring(std::uint32_t request, std::uint32_t ring, std::uint32_t value) {
    const std::uint32_t payload[2] = {ring, value};
    message(request, payload, sizeof payload);
}

void FakeGuest::share_memory() {
    memory_size_ = rings_.size() * (kRingBytes + kRingSize * std::size_t{kBufferSize});
    memory_fd_ = check(memfd_create("guest", MFD_CLOEXEC), "memfd_create");
    check(ftruncate(memory_fd_, static_cast<off_t>(memory_size_)), "ftruncate");
    void* at = mmap(nullptr, memory_size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd_, 0);
    if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    memory_ = static_cast<std::uint8_t*>(at);
    struct {
        std::uint32_t regions = 1, padding = 0;
        std::uint64_t guest_address = 0, size, user_address, offset = 0;
    } table{.size = memory_size_, .user_address = reinterpret_cast<std::uint64_t>(memory_)};
    message(set_mem_table, &table, sizeof table, memory_fd_);
}

void FakeGuest::start_ring(std::uint16_t index) {
    Ring& ring = rings_[index];
    std::uint8_t* base = memory_ + index * (kRingBytes + kRingSize * std::size_t{kBufferSize});
    ring.descriptors = reinterpret_cast<Descriptor*>(base);
    ring.available = reinterpret_cast<std::uint16_t*>(base + 4096);
    ring.used = reinterpret_cast<std::uint16_t*>(base + 6144);
    ring.buffers = base + kRingBytes;
    ring.kick = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    ring.call = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");

    set_ring(set_vring_num, index, kRingSize);
    set_ring(set_vring_base, index, is_packed_ ? kFirstRound : 0);
    touch_ring(index);
    const std::uint64_t which = index;
    message(set_vring_call, &which, sizeof which, ring.call);
    const std::uint64_t without = which | kNoDescriptor;
    if (kicks_)
        message(set_vring_kick, &which, sizeof which, ring.kick);
    else
        message(set_vring_kick, &without, sizeof without);
}

void FakeGuest::touch_ring(std::uint16_t index) {
    const Ring& ring = rings_[index];
    const struct {
        std::uint32_t index, flags;
        std::uint64_t descriptors, used, available, log;
    } addresses{index,
                0,
                reinterpret_cast<std::uint64_t>(ring.descriptors),
                reinterpret_cast<std::uint64_t>(ring.used),
                reinterpret_cast<std::uint64_t>(ring.available),
                0};
    message(set_vring_addr, &addresses, sizeof addresses);
}

void FakeGuest::start(std::uint64_t features, std::uint16_t pairs, std::uint16_t buffers) {
    features = (features | kProtocolFeatures) & offered_features();
    message(set_owner, nullptr, 0);
    ask(get_protocol_features);
    message(set_protocol_features, &kProtocolMultiqueue, sizeof kProtocolMultiqueue);
    message(set_features, &features, sizeof features);
    is_packed_ = (features & kRingPacked) != 0;
    rings_.resize(pairs * 2U);
    share_memory();
    for (std::uint16_t index = 0; index < rings_.size(); ++index) start_ring(index);
    for (std::uint16_t pair = 0; pair < pairs; ++pair) give_buffers(buffers, pair);
    for (std::uint16_t index = 0; index < rings_.size(); ++index) enable_ring(index, true);
}

void FakeGuest::enable_ring(std::uint16_t ring, bool enabled) {
    set_ring(set_vring_enable, ring, enabled ? 1 : 0);
    offered_features();  // messages are handled in order: after this reply the change is in force
}

void FakeGuest::send_odd_message(std::uint32_t request, std::span<const int> descriptors, bool wants_reply) {
    constexpr std::uint32_t kNeedReply = 1 << 3;
    message(request, kVersion | (wants_reply ? kNeedReply : 0), nullptr, 0, descriptors);
    std::uint32_t reply[5];
    if (wants_reply && recv(socket_, reply, sizeof reply, MSG_WAITALL) != sizeof reply)
        throw std::runtime_error("no reply");
}

bool FakeGuest::send_bytes(std::span<const std::uint8_t> bytes) {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno != EAGAIN) throw std::system_error(errno, std::generic_category(), "send");
    return false;
}

void FakeGuest::jam_calls() {
    for (const Ring& ring : rings_) {
        check(eventfd_write(ring.call, ~0ULL - 1), "eventfd_write");
        check(fcntl(ring.call, F_SETFL, fcntl(ring.call, F_GETFL) & ~O_NONBLOCK), "fcntl");
    }
}

void FakeGuest::take_memory_back() {
    check(ftruncate(memory_fd_, 0), "ftruncate");
}

void FakeGuest::stop() {
    for (std::uint32_t index = 0; index < rings_.size(); ++index) {
        set_ring(get_vring_base, index, 0);
        std::uint32_t reply[5];
        if (recv(socket_, reply, sizeof reply, MSG_WAITALL) != sizeof reply) throw std::runtime_error("no reply");
    }
}

bool FakeGuest::still_connected(int wait_ms) {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    char byte;
    return poll(&waiting, 1, wait_ms) == 0 || recv(socket_, &byte, 1, MSG_PEEK) > 0;
}

void FakeGuest::offer(Ring& ring, std::uint32_t length, std::uint16_t flags) {
    const auto slot = static_cast<std::uint16_t>(ring.next % kRingSize);
    const auto address = static_cast<std::uint64_t>(ring.buffers + slot * std::size_t{kBufferSize} - memory_);
    ring.descriptors[slot] = {.address = address, .length = length, .flags = flags, .next = 0};
    ring.available[2 + slot] = slot;
    ++ring.next;
    __atomic_store_n(&ring.available[1], ring.next, __ATOMIC_RELEASE);
}

void FakeGuest::send(const Frame& frame, const NetHeader& header, std::uint16_t pair, bool kick) {
    Ring& ring = rings_[pair * 2U + 1];
    std::uint8_t* buffer = ring.buffers + ring.next % kRingSize * std::size_t{kBufferSize};
    std::memcpy(buffer, &header, sizeof header);
    std::memcpy(buffer + sizeof header, frame.data(), frame.size());
    offer(ring, static_cast<std::uint32_t>(sizeof header + frame.size()), 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (kick && is_to_kick(pair)) eventfd_write(ring.kick, 1);
}

bool FakeGuest::is_to_kick(std::uint16_t pair) const {
    constexpr std::uint16_t kNoNotify = 1;  // virtio 1.1, section 2.6.10: VIRTQ_USED_F_NO_NOTIFY
    return (__atomic_load_n(&rings_[pair * 2U + 1].used[0], __ATOMIC_ACQUIRE) & kNoNotify) == 0;
}

FakeGuest::RawRing FakeGuest::raw(std::uint16_t ring) const {
    return {rings_[ring].descriptors, rings_[ring].available, rings_[ring].used};
}

std::uint8_t* FakeGuest::buffer(std::uint16_t ring, std::uint16_t slot) const {
    return rings_[ring].buffers + slot * std::size_t{kBufferSize};
}

std::uint64_t FakeGuest::buffer_address(std::uint16_t ring, std::uint16_t slot) const {
    return static_cast<std::uint64_t>(buffer(ring, slot) - memory_);
}

bool FakeGuest::has_unsent(std::uint16_t pair) const {
    const Ring& ring = rings_[pair * 2U + 1];
    return __atomic_load_n(&ring.used[1], __ATOMIC_ACQUIRE) != ring.next;
}

void FakeGuest::send_endless(std::uint64_t bytes, std::uint16_t pair) {
    constexpr std::uint16_t kNext = 1;
    Ring& ring = rings_[pair * 2U + 1];
    const auto length = static_cast<std::uint32_t>(bytes / kRingSize);
    for (std::uint16_t slot = 0; slot < kRingSize; ++slot) {
        const bool last = slot + 1 == kRingSize;
        ring.descriptors[slot] = {.address = 0,
                                  .length = length,
                                  .flags = last ? std::uint16_t{0} : kNext,
                                  .next = static_cast<std::uint16_t>(last ? 0 : slot + 1)};
    }
    ring.available[2 + ring.next % kRingSize] = 0;
    __atomic_store_n(&ring.available[1], ++ring.next, __ATOMIC_RELEASE);
}

void FakeGuest::give_buffers(std::uint16_t count, std::uint16_t pair, std::uint32_t length) {
    for (; count > 0; --count) offer(rings_[pair * 2U], length, kDeviceWrites);
}

std::optional<Delivered> FakeGuest::receive(std::uint16_t pair) {
    Ring& ring = rings_[pair * 2U];
    if (__atomic_load_n(&ring.used[1], __ATOMIC_ACQUIRE) == ring.seen) return std::nullopt;
    std::uint32_t element[2];
    std::memcpy(element, &ring.used[2 + ring.seen % kRingSize * 4], sizeof element);
    ++ring.seen;
    const std::uint8_t* buffer = ring.buffers + element[0] * std::size_t{kBufferSize};
    Delivered delivered;
    std::memcpy(&delivered.header, buffer, sizeof delivered.header);
    delivered.frame.assign(buffer + sizeof delivered.header, buffer + element[1]);
    return delivered;
}

}  // namespace bulkhead::test
