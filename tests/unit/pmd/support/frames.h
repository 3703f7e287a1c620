// SPDX-License-Identifier: Apache-2.0
// Frames for tests: a pool to take them from, and builders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead::test {

using Bytes = std::vector<std::uint8_t>;

/// The pool of all tests of the program.
rte_mempool* buffers();

/// A frame with these bytes, in segments of at most `segment` bytes.
rte_mbuf* make_frame(const Bytes& bytes, std::size_t segment = 2048);
Bytes bytes_of(const rte_mbuf& frame);

struct Datagram {
    int vlans = 0;
    bool ipv6 = false;
    std::uint8_t protocol = 6;
    int ip_options = 0;  ///< IPv4: bytes, a multiple of 4; IPv6: a hop-by-hop header of so many bytes, a multiple of 8
    std::size_t payload = 100;
    std::uint16_t ether_type = 0;  ///< other than the right one
};

/// Ethernet, IP and TCP/UDP (the L4 checksum field holds the pseudo-header sum), the payload counting up.
Bytes build(const Datagram& datagram);
std::size_t l4_begin(const Datagram& datagram);

/// Is the L4 checksum right as it stands?
bool l4_checksum_good(const Bytes& frame, const Datagram& datagram);

/// Fails a test that leaves a buffer behind.
class PoolCheck : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

  private:
    unsigned before_ = 0;
};

}  // namespace bulkhead::test
