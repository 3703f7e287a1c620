// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/daemon.h"

#include <csignal>
#include <sys/epoll.h>

#include <rte_version.h>
#include <spdlog/spdlog.h>

#include "control/api/openrpc.h"
#include "control/config/config_file.h"
#include "control/daemon/memory_report.h"
#include "control/daemon/roles.h"
#include "control/daemon/service_manager.h"
#include "control/daemon/succession.h"
#include "control/rpc/json_rpc.h"
#include "control/state/learned_macs.h"

namespace bulkhead::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTick{100};
constexpr seconds kHousekeeping{1};
constexpr seconds kPredecessorsEnd{20};

// /run is empty after a boot; where no service manager has made our folders we do.
void make_folder(const std::filesystem::path& folder) {
    std::error_code error;
    if (folder.empty() || std::filesystem::exists(folder, error)) return;
    if (!std::filesystem::create_directories(folder, error)) {
        spdlog::warn("the folder {} can't be made: {}", folder.string(), error.message());
    }
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(const Options& options) {
    std::unique_ptr<Daemon> daemon(new Daemon());
    auto loop = EventLoop::create(
        [](const std::exception& error) { spdlog::error("control loop: a callback failed: {}", error.what()); });
    if (!loop) return failure(std::move(loop.error()));
    daemon->loop_ = std::move(*loop);
    daemon->command_ = options.command;
    // Before any thread is made, so that all inherit the mask.
    auto watched = daemon->loop_->watch_signals({SIGTERM, SIGINT, SIGHUP}, [self = daemon.get()](int signal) {
        if (signal == SIGHUP) return self->start_successor();
        spdlog::info("ending: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
        self->loop_->stop();
    });
    if (!watched) return failure(std::move(watched.error()));
    std::signal(SIGPIPE, SIG_IGN);
    if (auto ok = daemon->start(options); !ok) return failure(std::move(ok.error()));
    return daemon;
}

/// What takes long comes before the predecessor ends, and what it holds after that.
Result<> Daemon::start(const Options& options) {
    if (auto ok = read_config(options); !ok) return ok;
    milliseconds patience{0};
    if (options.replace) {
        if (auto ok = start_plane(); !ok) return ok;
        auto is_ending = take_over(options);
        if (!is_ending) return failure(std::move(is_ending.error()));
        if (*is_ending) patience = kPredecessorsEnd;
    }
    if (auto ok = open_state(options, patience); !ok) return ok;
    if (!plane_) {
        if (auto ok = start_plane(); !ok) return ok;
    }
    if (auto ok = start_switch(); !ok) return ok;
    restore_macs();
    return serve(options);
}

Result<> Daemon::read_config(const Options& options) {
    // One that can't be looked at is not absent: reading it says why.
    std::error_code unknown;
    if (!options.config_is_named && !std::filesystem::exists(options.config, unknown) && !unknown) return {};
    auto document = config::load_config_file(options.config, config::FileCheck::objects);
    if (!document) return failure(std::move(document.error()));
    node_ = document->node.value_or(config::Node{});
    file_objects_ = std::move(document->model);
    return {};
}

Result<> Daemon::start_plane() {
    auto plane = DataPlane::create(node_);
    if (!plane) {
        if (!plane.error().field.empty()) plane.error().message.insert(0, "node" + plane.error().field + ": ");
        return failure(std::move(plane.error()));
    }
    plane_ = std::move(*plane);
    return {};
}

/// Whether there is a predecessor, which ends now. One goes on where this process would not get further.
Result<bool> Daemon::take_over(const Options& options) {
    if (!options.recover) {
        if (auto readable = StateFolder::check(options.state_dir); !readable) return failure(readable.error());
    }
    auto is_ending = end_predecessor(options.socket);
    if (is_ending && !*is_ending) spdlog::warn("--replace: nobody serves {}", options.socket);
    return is_ending;
}

Result<> Daemon::open_state(const Options& options, milliseconds patience) {
    auto file = StateFile::open(options.state_dir, {}, patience);
    if (!file) return failure(std::move(file.error()));
    state_ = std::make_unique<StateFolder>(std::move(*file));
    audit_log_ = std::make_unique<AuditLog>(options.state_dir);
    state_dir_ = options.state_dir;
    auto saved = state_->load(options.recover);
    if (!saved) return failure(std::move(saved.error()));
    saved_ = std::move(*saved);
    return {};
}

Result<> Daemon::start_switch() {
    target_ = std::make_unique<SwitchAdapter>(plane_->get_switch());
    factory_ = std::make_unique<DeviceFactory>(
        plane_->buffers(), target_->workers(), node_.vhost_roots,
        [this](const std::string& port, std::uint64_t token, PortEvent event) {
            loop_->post([this, port, token, event] { engine_->port_event(port, token, event); });
        });
    events_ = std::make_unique<EventStream>([this](std::uint64_t connection, std::string_view line) {
        return server_ == nullptr || server_->notify(connection, line);
    });
    offload_ = std::make_unique<Reconciler>();
    plane_->get_switch().set_watcher(offload_.get());
    engine_ = std::make_unique<Engine>(Engine::Surroundings{
        .target = *target_, .factory = *factory_, .persistence = *state_, .observer = [this](const EngineEvent& event) {
            events_->publish(event, engine_->configured());
        }});
    if (auto ok = plane_->start_workers(); !ok) return ok;
    auto displaced = engine_->start(file_objects_, saved_);
    if (!displaced) return failure(std::move(displaced.error()));
    report_waiting(*displaced);
    return {};
}

Result<> Daemon::serve(const Options& options) {
    context_ = std::make_unique<methods::MethodContext>(
        methods::MethodContext{.engine = *engine_,
                               .node = node_,
                               .cores = plane_->cores(),
                               .dpdk_version = rte_version(),
                               .offload = offload_.get(),
                               .memory = [this] { return memory_report(plane_->buffers()); },
                               .shut_down =
                                   [this](std::optional<pid_t> successor) {
                                       successor_ = successor;
                                       loop_->stop();
                                   },
                               .audit = [this](const methods::Audited& entry) { audit(entry); }});
    if (auto ok = bind_methods(); !ok) return ok;
    make_folder(std::filesystem::path(options.socket).parent_path());
    for (const std::string& root : node_.vhost_roots) make_folder(root);
    rpc::ServerSettings settings;
    settings.path = options.socket;
    settings.group = group_id("bulkhead");
    settings.grants = role_grants(node_);
    rpc::ServerHooks hooks;
    hooks.answer = [this](const rpc::Caller& caller, std::string_view line) { return answer(caller, line); };
    hooks.on_drained = [this](std::uint64_t connection) { events_->hub().drained(connection); };
    hooks.on_closed = [this](std::uint64_t connection) { events_->hub().forget(connection); };
    auto server = rpc::Server::create(*loop_, std::move(settings), std::move(hooks));
    if (!server) return failure(std::move(server.error()));
    server_ = std::move(*server);
    start_timers();
    // Where it can't be watched, the timer alone serves.
    (void)loop_->add_fd(plane_->get_switch().underlay_bell(), EPOLLIN, [this](std::uint32_t) { serve_underlays(); });
    return {};
}

Result<> Daemon::bind_methods() {
    dispatcher_ = std::make_unique<rpc::Dispatcher>(api::method_table());
    for (methods::NamedHandler& handler : methods::handlers(*context_)) {
        if (auto ok = dispatcher_->bind(handler.method, std::move(handler.handler)); !ok) return ok;
    }
    const std::pair<std::string_view, rpc::Handler> others[] = {
        // Made once: anybody may ask, and making it takes a hundred times as long as other answers.
        {"rpc.discover",
         [document = api::open_rpc_document()](const rpc::Call&) -> Result<nlohmann::json> { return document; }},
        {"events.subscribe", [this](const rpc::Call& call) { return events_->hub().subscribe(call); }},
        {"events.unsubscribe", [this](const rpc::Call& call) { return events_->hub().unsubscribe(call); }}};
    for (const auto& [name, handler] : others) {
        if (auto ok = dispatcher_->bind(name, handler); !ok) return ok;
    }
    return dispatcher_->check_complete();
}

void Daemon::start_timers() {
    loop_->add_periodic(kTick, [this] {
        engine_->tick();
        events_->publish(plane_->get_switch().take_events(), engine_->configured());
        for (const PolicyLogEntry& entry : plane_->get_switch().take_policy_log())
            events_->publish(entry, engine_->configured());
        for (const OffloadEvent& event : offload_->take_events()) events_->publish(event, engine_->configured());
        serve_underlays();
    });
    loop_->add_periodic(kHousekeeping, [this] { plane_->get_switch().housekeeping(); });
    // Twice as often as is wanted, so that one late turn does not cost us our life.
    if (auto interval = watchdog_interval()) loop_->add_periodic(*interval / 2, tell_alive);
}

void Daemon::serve_underlays() {
    plane_->get_switch().serve_underlays();
    for (const OverlayEvent& event : plane_->get_switch().take_overlay_events())
        events_->publish(event, engine_->configured());
    for (const TunnelEvent& event : plane_->get_switch().take_tunnel_events())
        events_->publish(event, engine_->configured());
    for (const RingEvent& event : plane_->get_switch().take_ring_events())
        events_->publish(event, engine_->configured());
    // What is due before the next tick.
    loop_->cancel_timer(underlay_timer_);
    if (const auto pause = plane_->get_switch().underlay_pause(); pause && milliseconds(*pause) < kTick)
        underlay_timer_ = loop_->add_timer(milliseconds(*pause), [this] { serve_underlays(); });
}

std::optional<std::string> Daemon::answer(const rpc::Caller& caller, std::string_view line) {
    return rpc::answer(line, [&](const std::string& method, const nlohmann::json& params) {
        return dispatcher_->call(caller, method, params);
    });
}

void Daemon::audit(const methods::Audited& entry) {
    audit_log_->append({.uid = entry.call.caller.uid,
                        .pid = entry.call.caller.pid,
                        .role = std::string(rpc::role_name(entry.call.caller.role)),
                        .method = std::string(entry.call.method.name),
                        .object = entry.object,
                        .generation = entry.generation,
                        .result = entry.result});
}

void Daemon::report_waiting(const std::vector<ObjectKey>& displaced) const {
    for (const ObjectKey& key : displaced) {
        spdlog::warn("{} \"{}\" of the state folder gives way to that of the configuration file", to_string(key.kind),
                     key.name);
    }
    for (const auto& [key, reason] : engine_->configuration().unfit) {
        spdlog::warn("{} \"{}\" waits: {}", to_string(key.kind), key.name, reason_text(reason));
    }
    for (const auto& [name, port] : engine_->configuration().in_force.ports) {
        if (const Error* reason = engine_->waiting_reason(key_of(port))) {
            spdlog::warn("port \"{}\" waits: {}", name, reason_text(*reason));
        }
    }
}

void Daemon::run() {
    spdlog::info("ready: generation {}, {} segments, {} ports", engine_->generation(),
                 engine_->configured().segments.size(), engine_->configured().ports.size());
    tell_ready("generation " + std::to_string(engine_->generation()));
    loop_->run();
    engine_->stop();
    if (plane_) plane_->stop_workers();
    keep_macs();
    if (successor_) {
        spdlog::info("handing over to pid {}", *successor_);
        tell_succeeded(*successor_);
    } else {
        tell_stopping();
    }
}

void Daemon::start_successor() {
    spdlog::info("SIGHUP: starting a successor");
    if (auto ok = daemon::start_successor(command_); !ok) spdlog::error("{}", ok.error().message);
}

void Daemon::restore_macs() {
    auto kept = take_learned_macs(state_dir_, std::chrono::system_clock::now());
    if (!kept) return spdlog::warn("{}", kept.error().message);
    if (kept->empty()) return;
    spdlog::info("{} of {} learned MACs taken over", plane_->get_switch().restore_macs(*kept), kept->size());
}

void Daemon::keep_macs() const {
    auto kept = keep_learned_macs(state_dir_, plane_->get_switch().macs({}, {.after = {}, .limit = kMostKeptMacs}),
                                  std::chrono::system_clock::now());
    if (!kept) spdlog::warn("learned MACs are not kept: {}", kept.error().message);
}

Daemon::~Daemon() {
    server_.reset();  // first, so that nobody changes what is being taken apart
    if (plane_) plane_->stop_workers();
    if (plane_) plane_->get_switch().set_watcher(nullptr);
    offload_.reset();
    // Closing a port may make it report; those reports are posted to a loop that turns no more.
    engine_.reset();
}

}  // namespace bulkhead::daemon
