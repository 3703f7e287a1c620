// SPDX-License-Identifier: Apache-2.0
// A bounded queue of small values between threads: librte_ring on memory of our own.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include <rte_ring.h>
#include <rte_ring_elem.h>

namespace bulkhead {

enum class Producers : unsigned { one = RING_F_SP_ENQ, many = 0 };

/// One consumer. `T` is copied as it stands in memory.
template <typename T>
class Ring {
  public:
    static_assert(sizeof(T) % 4 == 0, "librte_ring copies elements in words of four bytes");

    /// Room for `size` - 1 values; `size` is a power of two.
    Ring(const char* name, unsigned size, Producers producers) {
        const auto bytes = static_cast<std::size_t>(rte_ring_get_memsize_elem(sizeof(T), size));
        std::size_t space = bytes + RTE_CACHE_LINE_SIZE;
        memory_ = std::make_unique<std::byte[]>(space);
        void* aligned = memory_.get();
        std::align(RTE_CACHE_LINE_SIZE, bytes, aligned, space);
        ring_ = static_cast<rte_ring*>(aligned);
        if (rte_ring_init(ring_, name, size, static_cast<unsigned>(producers) | RING_F_SC_DEQ) != 0)
            throw std::bad_alloc();
    }

    [[nodiscard]] bool push(T value) noexcept { return rte_ring_enqueue_elem(ring_, &value, sizeof value) == 0; }
    [[nodiscard]] bool pop(T& value) noexcept { return rte_ring_dequeue_elem(ring_, &value, sizeof value) == 0; }
    [[nodiscard]] bool is_empty() const noexcept { return rte_ring_empty(ring_) != 0; }

  private:
    std::unique_ptr<std::byte[]> memory_;
    rte_ring* ring_;
};

}  // namespace bulkhead
