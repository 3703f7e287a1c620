// SPDX-License-Identifier: Apache-2.0
// Keeps in the NICs the rules that the plan wants. One thread of its own does all that takes a device's time: it finds
// out what a device can do, puts rules in, takes them out, counts their hits, and notices when they are gone. Whatever
// a device refuses or loses, software does.
//
// Threads: all public functions by the control thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "control/offload/offload_report.h"
#include "control/offload/planner.h"
#include "vswitch/offload/flow_device.h"
#include "vswitch/offload/snapshot_watcher.h"

namespace bulkhead {

class Reconciler final : public SnapshotWatcher {
  public:
    struct Patience {
        std::chrono::milliseconds withdrawal{2000};  ///< for a device that is to give up what contradicts a change
        std::chrono::milliseconds retry{1000};       ///< after a refusal, and between two looks at what is installed
        std::chrono::milliseconds probe{5000};
    };
    Reconciler() : Reconciler(Patience{}) {}
    explicit Reconciler(Patience patience);
    ~Reconciler() override;

    Result<> before_publish(const Snapshot& next) override;
    void after_publish(const Snapshot& now) override;

    /// What is known of a port; nothing: its device has no flow rules, or they are off.
    [[nodiscard]] std::optional<OffloadReport> report(const std::string& port);
    [[nodiscard]] std::vector<OffloadReport> reports();
    /// Finds out anew what a port's device can do. Its rules go for as long.
    [[nodiscard]] std::optional<OffloadReport> probe(const std::string& port);
    /// What happened since the last call.
    [[nodiscard]] std::vector<OffloadEvent> take_events();
    /// Returns when nothing is left to be done, or after so long: false.
    [[nodiscard]] bool settle(std::chrono::milliseconds longest);

  private:
    using Clock = std::chrono::steady_clock;
    struct Entry {
        FlowDevice::Handle handle = 0;  ///< 0: not installed
        std::string refusal;            ///< why not
        FlowHits hits;
        Clock::time_point next_try;
    };
    struct Device {
        std::set<FlowRule> wanted;
        std::map<FlowRule, Entry> entries;  ///< installed, refused, and both kinds no longer wanted
        std::vector<OffloadRung> ladder;    ///< empty: not probed yet
        std::optional<FlowShape> steering, dropping;
        std::uint32_t resets = 0;
        bool is_busy = false;     ///< the thread speaks with it, the lock is open
        bool is_leaving = false;  ///< wanted by nobody any more
        bool puts_drop = false;   ///< a rule that drops is on its way into the device
        bool is_suspect = false;  ///< a rule was found missing, and not all have been looked at since
        bool is_stuck = false;    ///< does not destroy a rule: all are flushed
        Clock::time_point next_look, next_probe;
    };
    using Lock = std::unique_lock<std::mutex>;

    void run();
    /// One step for one device; false: there is nothing to be done now.
    bool step(Lock& lock, FlowDevice& device, Device& state);
    bool forget_lost(Lock& lock, FlowDevice& device, Device& state);
    bool withdraw(Lock& lock, FlowDevice& device, Device& state);
    void destroy(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule, FlowDevice::Handle handle);
    bool install(Lock& lock, FlowDevice& device, Device& state);
    void install_drop(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule);
    bool look_at_all(Lock& lock, FlowDevice& device, Device& state);
    bool look(Lock& lock, FlowDevice& device, Device& state);
    void find_shapes(Lock& lock, FlowDevice& device, Device& state);
    std::optional<FlowShape> climb(Lock& lock, FlowDevice& device, Device& state, const FlowRule& rule,
                                   const std::vector<FlowShape>& shapes);
    static void note_rung(Device& state, OffloadRung rung);
    /// Calls the device with the lock open.
    template <typename Call>
    auto ask(Lock& lock, Device& state, Call call);

    [[nodiscard]] static bool contradicts(const FlowRule& rule, const std::set<FlowRule>& next, const Device& state);
    [[nodiscard]] static bool may_drop(const Device& state);
    [[nodiscard]] static OffloadReport report_on(const FlowDevice& device, const Device& state);
    void tell(OffloadEvent event);

    Patience patience_;
    std::mutex mutex_;
    std::condition_variable work_, done_;
    std::map<FlowDevice*, Device> devices_;
    std::vector<OffloadEvent> events_;
    bool stop_ = false;
    bool is_awaited_ = false;  ///< the control thread waits for what contradicts a change to go
    std::uint64_t asked_ = 0;  ///< how often devices were
    std::thread thread_;
};

}  // namespace bulkhead
