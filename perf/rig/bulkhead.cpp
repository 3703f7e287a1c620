// SPDX-License-Identifier: Apache-2.0
#include "perf/rig/bulkhead.h"

#include <chrono>
#include <numeric>

#include "vswitch/model/validate.h"
#include "vswitch/offload/snapshot_watcher.h"

namespace bulkhead::rig {
namespace {

std::uint32_t seconds_now() {
    using namespace std::chrono;
    return static_cast<std::uint32_t>(duration_cast<seconds>(steady_clock::now().time_since_epoch()).count());
}

std::uint64_t sum_of(const std::array<std::uint64_t, kDropReasons>& drops) {
    return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

class Adopter final : public SnapshotWatcher {
  public:
    explicit Adopter(const Scene& scene) : scene_(scene) {}
    Result<> before_publish(const Snapshot& /*next*/) override { return {}; }
    void after_publish(const Snapshot& now) override {
        if (scene_.adopt) scene_.adopt(now);
    }

  private:
    const Scene& scene_;
};

}  // namespace

Result<std::unique_ptr<Bulkhead>> Bulkhead::create(const Scene& scene, rte_mempool* buffers) {
    // Nothing is measured that users could not have.
    if (auto valid = validate(scene.model); !valid) return failure(std::move(valid.error()));
    SwitchSettings settings{.workers = scene.workers, .buffers = buffers, .idle = IdleMode::busy};
    // With newcomers the clock stands still: a known source writes to the table once a second, when it is seen again,
    // and each of the known newcomers comes once a second. They shall be what learning is compared with, so write
    // nothing.
    auto silence = std::make_shared<std::uint32_t>(0);
    settings.clock_s = [silence] { return seconds_now() + *silence; };
    if (scene.newcomers != nullptr) settings.clock_s = [] { return 1U; };
    auto made = Switch::create(settings);
    if (!made) return failure(std::move(made.error()));
    Adopter adopter(scene);
    (*made)->set_watcher(&adopter);
    if (auto ok = (*made)->apply(scene.model, scene.open_ports()); !ok) return failure(std::move(ok.error()));
    (*made)->set_watcher(nullptr);
    return std::unique_ptr<Bulkhead>(new Bulkhead(std::move(*made), std::move(silence), !scene.model.policies.empty()));
}

std::optional<std::size_t> Bulkhead::connections_held() const {
    return has_policy_ ? std::optional(switch_->connection_count()) : std::nullopt;
}

void Bulkhead::end_connections() {
    // A datagram without an answer is remembered for 30 s. Housekeeping looks at a part of the table each time.
    constexpr std::uint32_t kLongEnough = 31;
    *silence_ += kLongEnough;
    do switch_->housekeeping();
    while (switch_->connection_count() > 0);
}

Tally Bulkhead::tally() const {
    Tally tally;
    for (std::uint16_t worker = 0; worker < switch_->workers(); ++worker) {
        const WorkerStats books = switch_->worker_stats(worker);
        const std::uint64_t unknown = books.drops[static_cast<std::size_t>(DropReason::unknown_unicast)];
        tally.unknown += unknown;
        tally.copies += books.copies;
        tally.drops += sum_of(books.drops) - unknown;
    }
    return tally;
}

Result<> Bulkhead::check_books() const {
    for (std::uint16_t worker = 0; worker < switch_->workers(); ++worker) {
        const WorkerStats books = switch_->worker_stats(worker);
        const std::uint64_t in = books.received + books.originated + books.copies;
        const std::uint64_t out = books.transmitted + books.consumed + books.held + sum_of(books.drops);
        if (in != out)
            return failure({.message = "the books of worker " + std::to_string(worker) + " do not balance: " +
                                       std::to_string(in) + " frames in, " + std::to_string(out) + " out"});
    }
    return {};
}

}  // namespace bulkhead::rig
