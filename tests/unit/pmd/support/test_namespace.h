// SPDX-License-Identifier: Apache-2.0
// A network namespace for a test: held by a descriptor only, so that nothing is left of it however the test ends.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::test {

class TestNamespace {
  public:
    TestNamespace();

    [[nodiscard]] std::string path() const;             ///< as a configuration would name it, for this process
    void run(const std::function<void()>& work) const;  ///< on a thread inside

    // What `ip` would do inside.
    void command(const std::string& line) const;  ///< a line for `ip`, e.g. "link set tap0 down"
    [[nodiscard]] bool has_link(const std::string& name) const;
    [[nodiscard]] std::string show(const std::string& name) const;  ///< `ip addr show`, one line

    /// A packet socket on a link of the namespace, for frames of one EtherType.
    [[nodiscard]] UniqueFd packet_socket(const std::string& name, std::uint16_t ether_type) const;

  private:
    UniqueFd fd_;
};

inline constexpr std::uint16_t kTestEtherType = 0x88b5;  ///< IEEE 802: local experimental

/// The next frame of a packet socket, or none after five seconds.
std::optional<std::vector<std::uint8_t>> next_frame(const UniqueFd& socket);

/// Waits until `fd` is readable; false after five seconds.
bool wait_readable(int fd);

}  // namespace bulkhead::test
