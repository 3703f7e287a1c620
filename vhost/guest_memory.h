// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <csignal>

#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// A guest may take back memory that it shares with us: it holds the file, and where it does not let us seal it
/// (guest_file.h) it can cut it off, or there are no hugepages left for a page of it. Who touches such a page gets
/// SIGBUS, which ends a process. So whoever touches guests' memory says whose, and the handler puts a page of zeros
/// there, as if the guest had written them, and marks the guest. Its connection is closed then; nobody else notices.
///
/// A SIGBUS anywhere else ends the process, as ever.
class GuestMemory {
  public:
    /// This thread touches the guest's memory until the end of the block. Scopes don't nest.
    class Scope {
      public:
        explicit Scope(GuestMemory& memory) noexcept { touched_ = &memory; }
        ~Scope() { touched_ = nullptr; }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
    };
    /// The same until this thread touches another's, for librte_vhost's thread: it says when a message begins, and
    /// touches no guest's memory between messages.
    void touched_from_here() noexcept { touched_ = this; }

    /// Installs the handler, once in a process. Readable when a page has gone: then somebody is_broken().
    [[nodiscard]] static Result<int> watch();

    [[nodiscard]] bool is_broken() const noexcept { return is_broken_.load(std::memory_order_relaxed); }
    void reset() noexcept { is_broken_.store(false, std::memory_order_relaxed); }  ///< there is another guest

  private:
    static void replace_page(int signal, siginfo_t* info, void* context);

    static inline thread_local GuestMemory* touched_ = nullptr;
    std::atomic<bool> is_broken_{false};
};

}  // namespace bulkhead::vhost
