// SPDX-License-Identifier: Apache-2.0
#include "vhost/guest_memory.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vswitch/base/system_failure.h"

namespace bulkhead::vhost {
namespace {

/// Of ordinary memory and of hugepages: part of a hugepage can't be replaced (mmap(2)).
constexpr std::uintptr_t kPageSizes[] = {4UL << 10, 2UL << 20, 1UL << 30};

int bell = -1;

}  // namespace

/// Calls nothing that a signal handler may not (signal-safety(7)); mmap is one system call.
void GuestMemory::replace_page(int signal, siginfo_t* info, void*) {
    const int saved = errno;
    GuestMemory* const memory = touched_;
    const auto fault = reinterpret_cast<std::uintptr_t>(info->si_addr);
    // BUS_ADRERR: no such page in the file. Other codes speak of broken memory of the machine's, or of alignment.
    if (memory != nullptr && info->si_code == BUS_ADRERR) {
        for (const std::uintptr_t size : kPageSizes) {
            void* const page = reinterpret_cast<void*>(fault & ~(size - 1));
            if (mmap(page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                MAP_FAILED) {
                if (errno == EINVAL) continue;  // a part of a larger page; for any other reason that one may be others'
                break;
            }
            memory->is_broken_.store(true, std::memory_order_relaxed);
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto written = write(bell, &one, sizeof one);
            errno = saved;
            return;
        }
    }
    std::signal(signal, SIG_DFL);  // returns to the same instruction, and ends there
}

Result<int> GuestMemory::watch() {
    static const int error = [] {
        bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (bell < 0) return errno;
        struct sigaction action{};
        action.sa_sigaction = &GuestMemory::replace_page;
        action.sa_flags = SA_SIGINFO;
        return sigaction(SIGBUS, &action, nullptr) == 0 ? 0 : errno;
    }();
    if (error != 0) return system_failure("cannot guard guests' memory", error);
    return bell;
}

}  // namespace bulkhead::vhost
