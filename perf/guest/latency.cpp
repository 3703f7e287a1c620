// SPDX-License-Identifier: Apache-2.0
#include "perf/guest/latency.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "perf/guest/clock.h"
#include "perf/guest/console.h"
#include "perf/guest/frame.h"
#include "perf/guest/histogram.h"

namespace bulkhead::guest {
namespace {

constexpr std::uint64_t kMostAtOnce = 4;
constexpr std::uint64_t kMostBehind = 32;  ///< a stall of some microseconds is made up for, not one of milliseconds

/// When the next frame is due.
class Pace {
  public:
    explicit Pace(std::uint64_t rate)
        : interval_(static_cast<double>(rte_get_tsc_hz()) / static_cast<double>(rate)),
          next_(static_cast<double>(rte_rdtsc())) {}

    [[nodiscard]] std::uint16_t due(std::uint64_t now) const {
        const double late = static_cast<double>(now) - next_;
        if (late < 0) return 0;
        return static_cast<std::uint16_t>(std::min<double>(1 + late / interval_, kMostAtOnce));
    }

    /// `count` were sent at `now`; of those that are due since, more than a few are given up: how many.
    std::uint64_t sent(std::uint16_t count, std::uint64_t now) {
        next_ += count * interval_;
        const double behind = (static_cast<double>(now) - next_) / interval_ - kMostBehind;
        if (behind <= 0) return 0;
        const auto skipped = static_cast<std::uint64_t>(behind);
        next_ += static_cast<double>(skipped) * interval_;
        return skipped;
    }

  private:
    double interval_;
    double next_;
};

class Measurement {
  public:
    Measurement(Station& source, Station& sink, std::uint64_t rate) : source_(source), sink_(sink), pace_(rate) {
        begin();
    }

    void round() {
        const std::uint64_t now = rte_rdtsc();
        if (const std::uint16_t due = pace_.due(now); due > 0) {
            skipped_ += pace_.sent(source_.send_stamped(due), now);
        }
        const auto frames = sink_.receive();
        if (frames.empty()) return;
        const std::uint64_t arrival = rte_rdtsc();
        for (const rte_mbuf* frame : frames) {
            const auto sent = stamp_of(rte_pktmbuf_mtod(frame, const std::uint8_t*), rte_pktmbuf_data_len(frame));
            if (sent != 0 && arrival > sent) latencies_->record(arrival - sent);
        }
    }

    void report() {
        const double ns = 1e9 / static_cast<double>(rte_get_tsc_hz());
        auto in_ns = [ns](std::uint64_t cycles) { return static_cast<double>(cycles) * ns; };
        std::printf(
            R"({"sent": [%lu], "received": [%lu], "sent_since": %lu, "skipped": %lu, "seconds": %.6f, )"
            R"("p50_ns": %.0f, "p99_ns": %.0f, "p999_ns": %.0f, "max_ns": %.0f, "core_s": %.6f, "wall_s": %.6f})"
            "\n",
            source_.sent(), sink_.received(), source_.sent() - sent_before_, skipped_,
            in_ns(rte_rdtsc() - begin_) / 1e9, in_ns(latencies_->quantile(0.5)), in_ns(latencies_->quantile(0.99)),
            in_ns(latencies_->quantile(0.999)), in_ns(latencies_->max()), core_seconds(), wall_seconds());
        std::fflush(stdout);
        begin();
    }

  private:
    void begin() {
        latencies_->clear();
        sent_before_ = source_.sent();
        skipped_ = 0;
        begin_ = rte_rdtsc();
    }

    Station& source_;
    Station& sink_;
    Pace pace_;
    std::unique_ptr<Histogram> latencies_ = std::make_unique<Histogram>();
    std::uint64_t sent_before_ = 0;
    std::uint64_t skipped_ = 0;
    std::uint64_t begin_ = 0;
};

/// The sink speaks until it is heard: a switch that learns then knows where the frames go.
void introduce(Station& source, Station& sink) {
    const std::uint64_t pause = rte_get_tsc_hz() / 1000;
    for (std::uint64_t next = 0; source.receive().empty();) {
        if (rte_rdtsc() < next) continue;
        sink.send(1);
        next = rte_rdtsc() + pause;
    }
}

}  // namespace

void run_latency(Station& source, Station& sink, const Options& options) {
    introduce(source, sink);
    Console console;
    Measurement measurement(source, sink, options.rate);
    while (!console.ended()) {
        measurement.round();
        (void)source.receive();  // what a switch floods, or sends by itself
        for (unsigned lines = console.asked(); lines > 0; --lines) measurement.report();
    }
}

}  // namespace bulkhead::guest
