// SPDX-License-Identifier: Apache-2.0
#include "vhost/buffer_allowance.h"

#include <cerrno>
#include <cstdio>

#include <rte_mbuf.h>

namespace bulkhead::vhost {

BufferAllowance::BufferAllowance(rte_mempool* buffers, std::uint32_t largest_frame) noexcept
    : real_(buffers), buffers_per_frame_([&] {
          const std::uint32_t room = rte_pktmbuf_data_room_size(buffers) - std::uint32_t{RTE_PKTMBUF_HEADROOM};
          return (largest_frame + room - 1) / room;
      }()) {
    front_.ops_index = ops_index();
    front_.pool_data = this;
}

int BufferAllowance::draw(rte_mempool* front, void** buffers, unsigned count) {
    auto& self = *static_cast<BufferAllowance*>(front->pool_data);
    if (count > self.left_) return -ENOBUFS;
    self.left_ -= count;
    return rte_mempool_get_bulk(self.real_, buffers, count);
}

int BufferAllowance::ops_index() {
    static const int index = [] {
        rte_mempool_ops ops{};
        std::snprintf(ops.name, sizeof ops.name, "bulkhead_allowance");
        // rte_mempool_register_ops() wants these; nothing is ever put into this pool, nor counted.
        ops.alloc = [](rte_mempool*) { return 0; };
        ops.enqueue = [](rte_mempool*, void* const*, unsigned) { return -ENOTSUP; };
        ops.get_count = [](const rte_mempool*) { return 0U; };
        ops.dequeue = &BufferAllowance::draw;
        return rte_mempool_register_ops(&ops);
    }();
    return index;
}

}  // namespace bulkhead::vhost
