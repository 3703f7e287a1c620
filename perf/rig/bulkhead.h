// SPDX-License-Identifier: Apache-2.0
// The switch as bulkheadd runs it, busy polling, between a scene's ports.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "perf/rig/forwarder.h"
#include "perf/rig/scene.h"
#include "vswitch/switch.h"

namespace bulkhead::rig {

class Bulkhead : public Forwarder {
  public:
    static Result<std::unique_ptr<Bulkhead>> create(const Scene& scene, rte_mempool* buffers);

    void run_worker(std::uint16_t worker) noexcept override { switch_->run_worker(worker); }
    void stop() noexcept override { switch_->stop(); }

    void take_events() override { events_lost_ += switch_->take_events().lost; }
    void housekeep() override { switch_->housekeeping(); }

    [[nodiscard]] std::optional<std::size_t> macs_held() const override { return switch_->mac_count(); }
    [[nodiscard]] std::optional<std::size_t> connections_held() const override;
    [[nodiscard]] Tally tally() const override;
    [[nodiscard]] std::uint64_t events_lost() const override { return events_lost_; }
    void forget_macs(const std::string& port) override { switch_->flush_macs({.port = port}); }
    void end_connections() override;
    [[nodiscard]] Result<> check_books() const override;

  private:
    using Seconds = std::shared_ptr<std::uint32_t>;
    Bulkhead(std::unique_ptr<Switch> made, Seconds silence, bool has_policy)
        : silence_(std::move(silence)), has_policy_(has_policy), switch_(std::move(made)) {}

    Seconds silence_;  ///< by which the switch's clock is ahead; control's
    bool has_policy_;
    std::unique_ptr<Switch> switch_;
    std::uint64_t events_lost_ = 0;
};

}  // namespace bulkhead::rig
