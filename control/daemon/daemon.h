// SPDX-License-Identifier: Apache-2.0
// The composition root: makes the parts, ties them together, and ends them in the right order.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "control/config/config_document.h"
#include "control/daemon/data_plane.h"
#include "control/daemon/device_factory.h"
#include "control/daemon/event_stream.h"
#include "control/daemon/options.h"
#include "control/daemon/state_folder.h"
#include "control/daemon/switch_adapter.h"
#include "control/methods/context.h"
#include "control/offload/reconciler.h"
#include "control/rpc/dispatcher.h"
#include "control/rpc/server.h"
#include "control/state/audit_log.h"
#include "control/state/engine.h"
#include "vswitch/base/event_loop.h"

namespace bulkhead::daemon {

class Daemon {
  public:
    /// Everything up to the control socket; what can't be is an Error and nothing is left running.
    static Result<std::unique_ptr<Daemon>> create(const Options& options);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    void run();  ///< until SIGTERM, SIGINT, system.shutdown or a successor; SIGHUP starts one

  private:
    Daemon() = default;
    Result<> start(const Options& options);
    Result<> read_config(const Options& options);
    Result<> start_plane();
    Result<bool> take_over(const Options& options);
    Result<> open_state(const Options& options, std::chrono::milliseconds patience);
    Result<> start_switch();
    void start_successor();
    void restore_macs();
    void keep_macs() const;
    Result<> serve(const Options& options);
    Result<> bind_methods();
    void start_timers();
    void serve_underlays();
    std::optional<std::string> answer(const rpc::Caller& caller, std::string_view line);
    void audit(const methods::Audited& entry);
    void report_waiting(const std::vector<ObjectKey>& displaced) const;

    std::vector<std::string> command_;
    std::optional<pid_t> successor_;
    std::string state_dir_;
    config::Node node_;
    Model file_objects_;
    DurableState saved_;
    // In the order in which they are made; the end runs the other way.
    std::unique_ptr<EventLoop> loop_;
    EventLoop::TimerId underlay_timer_ = 0;
    std::unique_ptr<StateFolder> state_;
    std::unique_ptr<AuditLog> audit_log_;
    std::unique_ptr<DataPlane> plane_;
    std::unique_ptr<SwitchAdapter> target_;
    std::unique_ptr<DeviceFactory> factory_;
    std::unique_ptr<EventStream> events_;
    std::unique_ptr<Reconciler> offload_;  ///< must let go of devices before the engine closes them
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<methods::MethodContext> context_;
    std::unique_ptr<rpc::Dispatcher> dispatcher_;
    std::unique_ptr<rpc::Server> server_;
};

}  // namespace bulkhead::daemon
