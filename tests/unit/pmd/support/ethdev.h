// SPDX-License-Identifier: Apache-2.0
// Opening ethdev ports in tests.
#pragma once

#include <gtest/gtest.h>
#include <rte_ethdev.h>

#include "pmd/ethdev_port.h"
#include "tests/unit/pmd/support/frames.h"
#include "tests/unit/pmd/support/test_namespace.h"

namespace bulkhead::test {

inline Port port_on(const std::string& devargs, std::uint16_t queues = 1, const std::string& name = "uplink0") {
    Port port;
    port.name = name;
    port.queues = queues;
    port.device = EthdevDevice{.devargs = devargs, .mac = {}, .promiscuous = true};
    return port;
}

inline auto open(const Port& port, std::uint16_t workers = 1, std::uint16_t mtu = 1500) {
    return open_ethdev_port(port, mtu, buffers(), workers, {});
}

/// A frame of the test EtherType whose bytes count up.
inline Bytes numbered(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    bytes[0] = bytes[6] = 2;
    bytes[12] = kTestEtherType >> 8;
    bytes[13] = kTestEtherType & 0xff;
    return bytes;
}

/// Fails a test that leaves a device or a buffer behind.
class EthdevPortTest : public PoolCheck {
  protected:
    void TearDown() override {
        EXPECT_EQ(rte_eth_dev_count_total(), 0) << "a device was left behind";
        PoolCheck::TearDown();
    }
};

}  // namespace bulkhead::test
