// SPDX-License-Identifier: Apache-2.0
// The buffers of all tests of a program; the last test sees whether every one came back.
//
// They lie in a stack behind a std::mutex instead of DPDK's ring: ThreadSanitizer does not see how the ring, in a
// library not built for it, hands a buffer from thread to thread, and would take every reuse of a buffer for a race.
#pragma once

struct rte_mempool;

namespace bulkhead::test {

[[nodiscard]] rte_mempool* test_buffers();
/// Those for copies that mirrors make: 255, so that a test can have them all.
[[nodiscard]] rte_mempool* test_copies();

}  // namespace bulkhead::test
