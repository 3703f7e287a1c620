// SPDX-License-Identifier: Apache-2.0
// The transactions. Owns the configuration of all owners and the open devices, and drives the switch: every change goes
// validate → open devices → save → put in force → close devices, and what fails on the way leaves memory, disk and
// workers as they were. Used by the control thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/state/arrangement.h"
#include "control/state/change.h"
#include "control/state/device_transition.h"
#include "control/state/surroundings.h"

namespace bulkhead {

/// Something that happened by itself or by a change; for events.subscribe and the log. `port`, `segment` and `tunnel`
/// are what it is about, where that is one: they decide which tenants may see it.
struct EngineEvent {
    std::string kind;
    nlohmann::json fields;
    std::string port, segment, tunnel = {};
};

struct CommitOptions {
    std::optional<std::uint64_t> expect_generation = {};
    bool dry_run = false;
    std::optional<std::chrono::seconds> confirm_within = {};
};

/// What `state` says of a port.
struct PortCondition {
    enum class Status : std::uint8_t { up, down, waiting } status = Status::waiting;
    std::optional<Error> reason;      ///< why it waits
    std::optional<PortState> device;  ///< while it is open
};

class Engine {
  public:
    /// All outlive the engine.
    struct Surroundings {
        SwitchTarget& target;
        PortFactory& factory;
        Persistence& persistence;
        std::function<void(const EngineEvent&)> observer = {};
        std::function<Time()> now = std::chrono::steady_clock::now;
    };

    explicit Engine(Surroundings surroundings) : around_(std::move(surroundings)) {}

    /// Once, before anything else: puts in force what can be of the file's objects and of those saved; the rest waits.
    /// Where both have an object of one name the file's wins, and the names of those that gave way are the result.
    /// Fails only when the switch itself refuses.
    Result<std::vector<ObjectKey>> start(const Model& file_objects, const DurableState& saved);

    /// Makes `candidate` the configuration, or changes nothing. A candidate equal to what is configured touches
    /// nothing.
    Result<ChangeSet> commit(Model candidate, const CommitOptions& options = {});

    /// Keeps what was committed with `confirm_within`. Returns the generation.
    Result<std::uint64_t> confirm();

    /// Before a clean end: what is not confirmed is rolled back now, so that nothing of it outlives the switch.
    void stop();

    /// Retries what waits, rolls back what was not confirmed in time, and asks some devices how they are: those without
    /// an interrupt notice only then that they are gone. Call about ten times a second.
    void tick();
    /// What a device reports, brought over to the control thread.
    void port_event(const std::string& name, std::uint64_t token, PortEvent event);

    [[nodiscard]] const Model& configured() const { return now_.configured; }
    [[nodiscard]] const Configuration& configuration() const { return now_; }
    [[nodiscard]] std::uint64_t generation() const { return now_.generation; }
    [[nodiscard]] PortCondition port_condition(const std::string& name) const;
    /// Why an object is configured but not in force; nullptr when it is.
    [[nodiscard]] const Error* waiting_reason(const ObjectKey& key) const;
    [[nodiscard]] SwitchTarget& target() const { return around_.target; }

  private:
    struct Unconfirmed {
        Configuration former;
        Time deadline;
    };
    enum class Save : std::uint8_t { next, former, nothing };

    Result<> check_generation(const CommitOptions& options) const;
    Result<> check_confirmed() const;
    Result<Configuration> arrange_change(Model candidate, const std::vector<Change>& changes) const;
    Result<> put_in_force(Configuration next, const MayWait& may_wait, OnRemoval on_removal, Save save);
    Result<> save(const Configuration& configuration, std::uint64_t generation);
    void restore_saved();
    void look_at_devices();
    /// Takes a device that has gone out of service. False: the workers can't be told.
    bool lose_device(const std::string& name);
    void roll_back_unconfirmed();
    void tell(std::string kind, nlohmann::json fields, std::string port = {}, std::string segment = {}) const;
    void tell_underlay(const std::string& port, PortEvent event) const;
    void tell_changed(const ChangeSet& changes) const;

    Surroundings around_;
    Configuration now_;
    DeviceTable devices_;
    std::optional<Unconfirmed> unconfirmed_;
    std::string looked_at_;  ///< the port whose device was asked last
};

[[nodiscard]] nlohmann::json encode(const std::vector<Change>& changes);
/// The encoded changes for people: "add port web-0, remove segment red and 10 more".
[[nodiscard]] std::string described(const nlohmann::json& changes);

/// Why an object waits, in one sentence that names what was asked for.
[[nodiscard]] std::string reason_text(const Error& reason);

}  // namespace bulkhead
