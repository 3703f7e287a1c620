// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support/test_buffers.h"

#include <cerrno>
#include <mutex>
#include <vector>

#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace bulkhead::test {
namespace {

struct Stack {
    std::mutex mutex;
    std::vector<void*> free;
};

Stack& stack_of(const rte_mempool* pool) {
    return *static_cast<Stack*>(pool->pool_data);
}

int allocate(rte_mempool* pool) {
    auto* stack = new Stack;
    stack->free.reserve(pool->size);
    pool->pool_data = stack;
    return 0;
}

void release(rte_mempool* pool) {
    delete &stack_of(pool);
}

int put(rte_mempool* pool, void* const* buffers, unsigned count) {
    Stack& stack = stack_of(pool);
    const std::scoped_lock lock(stack.mutex);
    stack.free.insert(stack.free.end(), buffers, buffers + count);
    return 0;
}

int take(rte_mempool* pool, void** buffers, unsigned count) {
    Stack& stack = stack_of(pool);
    const std::scoped_lock lock(stack.mutex);
    if (stack.free.size() < count) return -ENOBUFS;
    for (unsigned at = 0; at < count; ++at) {
        buffers[at] = stack.free.back();
        stack.free.pop_back();
    }
    return 0;
}

unsigned count_free(const rte_mempool* pool) {
    Stack& stack = stack_of(pool);
    const std::scoped_lock lock(stack.mutex);
    return static_cast<unsigned>(stack.free.size());
}

const rte_mempool_ops kStackOps{
    .name = "test_stack", .alloc = allocate, .free = release, .enqueue = put, .dequeue = take, .get_count = count_free};
RTE_MEMPOOL_REGISTER_OPS(kStackOps)

}  // namespace

rte_mempool* test_buffers() {
    static rte_mempool* pool =
        rte_pktmbuf_pool_create_by_ops("test_buffers", 16383, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0, kStackOps.name);
    return pool;
}

rte_mempool* test_copies() {
    static rte_mempool* pool =
        rte_pktmbuf_pool_create_by_ops("test_copies", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0, kStackOps.name);
    return pool;
}

}  // namespace bulkhead::test
