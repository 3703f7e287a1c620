// SPDX-License-Identifier: Apache-2.0
// A switch on a table: named ports in memory, one worker that the test turns by hand, and the books checked at the end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/support/frames.h"
#include "tests/unit/support/memory_port.h"
#include "vswitch/switch.h"

namespace bulkhead::test {

class Bench {
  public:
    explicit Bench(std::uint16_t workers = 1);
    ~Bench();

    Segment& segment(const std::string& name, std::uint32_t vni);
    /// An access port of `segment`.
    Port& access(const std::string& name, const std::string& segment);
    /// A trunk port; attachments are added with trunk_vlan.
    Port& trunk(const std::string& name);
    Attachment& vlan(const std::string& port, std::uint16_t vlan, const std::string& segment);
    /// A NIC port with MAC 02:00:00:00:00:aa, and underlay "u0" on it: 192.0.2.1/24 and 2001:db8::1/64.
    Underlay& underlay(const std::string& nic);
    /// A tunnel over "u0". A remote with a MAC is a fixed neighbour.
    Tunnel& tunnel(const std::string& name, const std::string& remote, const std::vector<std::string>& segments,
                   std::optional<MacAddress> mac = MacAddress(0x0200'0000'00bbULL));
    void apply();
    void remove(const std::string& port);

    MemoryPort& operator[](const std::string& port) { return *ports_.at(port); }
    /// Rounds until nothing is left to receive.
    void run();
    /// Injects one frame and returns what each port sent, by port name.
    std::map<std::string, std::vector<Bytes>> pass(const std::string& port, const Bytes& frame);
    [[nodiscard]] std::uint64_t drops(DropReason reason) const;

    Switch& vswitch() { return *switch_; }
    Model model;
    std::uint32_t now_s = 1000;
    std::uint64_t now_ms = 1'000'000;

  private:
    std::map<std::string, std::unique_ptr<MemoryPort>> ports_;
    std::unique_ptr<Switch> switch_;
    unsigned buffers_before_;
};

}  // namespace bulkhead::test
