// SPDX-License-Identifier: Apache-2.0
// The other end of a vhost-user socket, played inside the test: it negotiates like QEMU and moves frames like a
// virtio-net driver, but does exactly what a test says, the forbidden included.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bulkhead::test {

/// virtio 1.1, section 5.1.6, as VIRTIO_F_VERSION_1 lays it out.
struct [[gnu::packed]] NetHeader {
    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t hdr_len = 0, gso_size = 0, csum_start = 0, csum_offset = 0, num_buffers = 0;
};
static_assert(sizeof(NetHeader) == 12);

inline constexpr std::uint8_t kNeedsChecksum = 1;
inline constexpr std::uint8_t kGsoTcp4 = 1;
inline constexpr std::uint8_t kGsoTcp6 = 4;

struct Delivered {
    NetHeader header;
    std::vector<std::uint8_t> frame;
};

using Frame = std::vector<std::uint8_t>;

class FakeGuest {
  public:
    static constexpr std::uint16_t kRingSize = 64;
    static constexpr std::uint32_t kBufferSize = 72 * 1024;

    static FakeGuest connect_to(const std::string& path);                  ///< the switch is the server
    static FakeGuest listen_on(const std::string& path);                   ///< the switch is the client; waits for it
    static FakeGuest on(int connection) { return FakeGuest(connection); }  ///< takes it over
    FakeGuest(FakeGuest&& other) noexcept;
    FakeGuest& operator=(FakeGuest&&) = delete;
    ~FakeGuest();

    std::uint64_t offered_features();
    std::uint64_t offered_queue_pairs();
    /// Negotiates those of `features` that are offered, and starts the rings. Every receive ring gets `buffers`
    /// buffers. With packed rings it moves no frames by itself: buffers must be 0, and raw() has their areas.
    void start(std::uint64_t features, std::uint16_t pairs = 1, std::uint16_t buffers = kRingSize);
    void never_kick() { kicks_ = false; }  ///< from the next start() on it has no kick descriptor
    /// Whether the switch wants a kick for a frame that is sent now.
    [[nodiscard]] bool is_to_kick(std::uint16_t pair = 0) const;
    void enable_ring(std::uint16_t ring, bool enabled);
    /// Any message with any descriptors and no payload. The reply, if one is asked for, is read and forgotten.
    void send_odd_message(std::uint32_t request, std::span<const int> descriptors, bool wants_reply);
    /// A part of a message, say. False: the switch has not taken earlier ones yet.
    bool send_bytes(std::span<const std::uint8_t> bytes);
    void touch_ring(std::uint16_t ring);       ///< says its address again: librte_vhost looks at it
    void jam_calls();                          ///< who interrupts it waits
    void take_memory_back();                   ///< the file that the switch has mapped is cut off
    void stop();                               ///< as a guest that shuts its driver down: GET_VRING_BASE of every ring
    bool still_connected(int wait_ms = 2000);  ///< false once the switch has closed the connection

    void send(const Frame& frame, const NetHeader& header = {}, std::uint16_t pair = 0, bool kick = true);
    /// A frame of `bytes` in descriptors that all name the same memory: longer than the guest's own.
    void send_endless(std::uint64_t bytes, std::uint16_t pair = 0);
    bool has_unsent(std::uint16_t pair = 0) const;  ///< the switch has not taken all of its frames yet
    std::optional<Delivered> receive(std::uint16_t pair = 0);
    void give_buffers(std::uint16_t count, std::uint16_t pair = 0, std::uint32_t length = kBufferSize);

    /// A ring as its memory has it (virtio 1.1, section 2.6), to be written with whatever a test likes. Of a packed one
    /// (section 2.7) these are the descriptor, driver and device areas.
    struct Descriptor {
        std::uint64_t address;
        std::uint32_t length;
        std::uint16_t flags, next;
    };
    struct RawRing {
        Descriptor* descriptors;
        std::uint16_t* available;  ///< flags, idx, ring[]
        std::uint16_t* used;       ///< flags, idx, then {u32 id, u32 len}[]
    };
    [[nodiscard]] RawRing raw(std::uint16_t ring) const;
    [[nodiscard]] std::uint64_t memory_size() const { return memory_size_; }  ///< addresses are 0 to this
    /// The address of a ring's buffer, kBufferSize long, and where it is.
    [[nodiscard]] std::uint64_t buffer_address(std::uint16_t ring, std::uint16_t slot) const;
    [[nodiscard]] std::uint8_t* buffer(std::uint16_t ring, std::uint16_t slot) const;

  private:
    struct Ring {
        Descriptor* descriptors = nullptr;
        std::uint16_t* available = nullptr;  ///< flags, idx, ring[]
        std::uint16_t* used = nullptr;       ///< flags, idx, then {u32 id, u32 len}[]
        std::uint8_t* buffers = nullptr;
        std::uint16_t next = 0, seen = 0;
        int kick = -1, call = -1;
    };

    explicit FakeGuest(int socket);
    void message(std::uint32_t request, const void* payload, std::uint32_t size, int fd = -1);
    void message(std::uint32_t request, std::uint32_t flags, const void* payload, std::uint32_t size,
                 std::span<const int> descriptors);
    std::uint64_t ask(std::uint32_t request);
    void set_ring(std::uint32_t request, std::uint32_t ring, std::uint32_t value);
    void share_memory();
    void start_ring(std::uint16_t ring);
    void offer(Ring& ring, std::uint32_t length, std::uint16_t flags);

    int socket_ = -1;
    int memory_fd_ = -1;
    std::uint8_t* memory_ = nullptr;
    std::size_t memory_size_ = 0;
    bool kicks_ = true;
    bool is_packed_ = false;
    std::vector<Ring> rings_;
};

}  // namespace bulkhead::test
