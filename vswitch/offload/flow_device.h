// SPDX-License-Identifier: Apache-2.0
// The contract of a port's flow rules; pmd/flow/ implements it.
//
// Threads: one thread at a time, and before the port ends all that used it have let go. Calls may take as long as the
// device takes.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "vswitch/offload/flow_rule.h"

namespace bulkhead {

/// What the device said to a rule.
struct FlowRefusal {
    std::string words;     ///< the driver's own
    bool is_full = false;  ///< there is no space: for this one, or for any more
    bool is_gone = false;  ///< there is no such rule (any more)
};

template <typename T = void>
using FlowAnswer = std::expected<T, FlowRefusal>;

class FlowDevice {
  public:
    using Handle = std::uint64_t;  ///< of an installed rule; never 0

    FlowDevice() = default;
    FlowDevice(const FlowDevice&) = delete;
    FlowDevice& operator=(const FlowDevice&) = delete;
    virtual ~FlowDevice() = default;

    [[nodiscard]] virtual std::string port() const = 0;    ///< whose device it is
    [[nodiscard]] virtual std::string driver() const = 0;  ///< of the device
    [[nodiscard]] virtual std::uint16_t queues() const = 0;

    [[nodiscard]] virtual FlowAnswer<> validate(const FlowRule& rule, const FlowShape& shape) = 0;
    [[nodiscard]] virtual FlowAnswer<Handle> create(const FlowRule& rule, const FlowShape& shape) = 0;
    /// After a refusal that does not say is_gone the rule is still in force.
    [[nodiscard]] virtual FlowAnswer<> destroy(Handle handle) = 0;
    /// Of a rule that counts.
    [[nodiscard]] virtual FlowAnswer<FlowHits> hits(Handle handle) = 0;
    /// Destroys all rules of the device at once.
    [[nodiscard]] virtual FlowAnswer<> flush() = 0;

    /// Grows whenever the device has lost all its rules; handles of before mean nothing then.
    [[nodiscard]] virtual std::uint32_t resets() const noexcept = 0;
    /// Whether received frames keep the marks that rules gave them.
    virtual void keep_marks(bool keep) noexcept = 0;
};

}  // namespace bulkhead
