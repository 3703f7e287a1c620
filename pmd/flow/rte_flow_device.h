// SPDX-License-Identifier: Apache-2.0
// The flow rules of an ethdev, by rte_flow.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "vswitch/offload/flow_device.h"

struct rte_flow;

namespace bulkhead {

class RteFlowDevice final : public FlowDevice {
  public:
    /// Of the ethdev `id`, which is started, for port `port`. `keep_marks`: what the port does about marks.
    RteFlowDevice(std::uint16_t id, std::string port, std::uint16_t queues, std::function<void(bool)> keep_marks);
    ~RteFlowDevice() override;

    [[nodiscard]] std::string port() const override { return port_; }
    [[nodiscard]] std::string driver() const override;
    [[nodiscard]] std::uint16_t queues() const override { return queues_; }
    [[nodiscard]] FlowAnswer<> validate(const FlowRule& rule, const FlowShape& shape) override;
    [[nodiscard]] FlowAnswer<Handle> create(const FlowRule& rule, const FlowShape& shape) override;
    [[nodiscard]] FlowAnswer<> destroy(Handle handle) override;
    [[nodiscard]] FlowAnswer<FlowHits> hits(Handle handle) override;
    [[nodiscard]] FlowAnswer<> flush() override;
    [[nodiscard]] std::uint32_t resets() const noexcept override { return resets_.load(std::memory_order_acquire); }
    void keep_marks(bool keep) noexcept override { keep_marks_(keep); }

    /// The device has lost its rules: by any thread.
    void note_reset() noexcept { resets_.fetch_add(1, std::memory_order_release); }

  private:
    std::uint16_t id_;
    std::string port_;
    std::uint16_t queues_;
    std::function<void(bool)> keep_marks_;
    std::map<Handle, rte_flow*> rules_;
    Handle last_ = 0;
    std::atomic<std::uint32_t> resets_{0};
};

}  // namespace bulkhead
