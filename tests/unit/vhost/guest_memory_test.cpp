// SPDX-License-Identifier: Apache-2.0
#include "vhost/guest_memory.h"

#include <cstdint>
#include <fstream>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost::test {
namespace {

/// Lets the kernel have so many more hugepages than are reserved.
class MoreHugepages {
  public:
    explicit MoreHugepages(unsigned count) { write(before_ + count); }
    ~MoreHugepages() { write(before_); }
    MoreHugepages(const MoreHugepages&) = delete;
    MoreHugepages& operator=(const MoreHugepages&) = delete;

  private:
    static constexpr const char* kFile = "/proc/sys/vm/nr_overcommit_hugepages";
    static unsigned read() {
        unsigned count = 0;
        std::ifstream(kFile) >> count;
        return count;
    }
    static void write(unsigned count) { std::ofstream(kFile) << count; }

    const unsigned before_ = read();
};

/// Shared memory as a guest has it, of two pages; its file can be cut off.
class SharedMemory {
  public:
    SharedMemory(unsigned flags, std::size_t page)
        : size_(2 * page), file_(memfd_create("guest", MFD_CLOEXEC | flags)) {
        if (ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return;
        at_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    }
    ~SharedMemory() {
        if (is_there()) munmap(at_, size_);
    }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    [[nodiscard]] bool is_there() const { return at_ != MAP_FAILED; }
    [[nodiscard]] volatile std::uint8_t& octet(std::size_t at) { return static_cast<volatile std::uint8_t*>(at_)[at]; }
    void cut_off() { ASSERT_EQ(ftruncate(file_.get(), 0), 0); }

  private:
    std::size_t size_;
    UniqueFd file_;
    void* at_ = MAP_FAILED;
};

void expect_zeros_instead(unsigned flags, std::size_t page) {
    SharedMemory shared(flags, page);
    if (!shared.is_there()) GTEST_SKIP() << "no memory of this page size";
    const int bell = GuestMemory::watch().value();
    shared.octet(0) = 7;
    shared.octet(page + 100) = 7;
    shared.cut_off();

    GuestMemory memory;
    const GuestMemory::Scope scope(memory);
    EXPECT_EQ(shared.octet(page + 100), 0);
    EXPECT_TRUE(memory.is_broken());
    shared.octet(page) = 9;
    EXPECT_EQ(shared.octet(page), 9) << "the page is there now";
    pollfd rung{.fd = bell, .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&rung, 1, 0), 1);
    EXPECT_EQ(shared.octet(0), 0) << "the other page";
}

TEST(GuestMemory, OrdinaryPagesThatGoAreReplaced) {
    expect_zeros_instead(0, 4096);
}

TEST(GuestMemory, HugepagesThatGoAreReplaced) {
    const MoreHugepages more(4);
    expect_zeros_instead(MFD_HUGETLB | (21U << MAP_HUGE_SHIFT), 2UL << 20);
}

}  // namespace
}  // namespace bulkhead::vhost::test
