// SPDX-License-Identifier: Apache-2.0
// The switch's state on disk: what survives a restart, a kill at any moment, and a power cut.
//
// A folder (0700) holds, each 0600:
//   state.json            the last state that was saved
//   state.previous.json   the one before it
//   lock                  held (flock) while a daemon uses the folder; names its pid
//   state.json.corrupt-T  set aside by recovery; never removed by us
// Their format is state_format.h's. From the first save on state.json exists at every moment. Nothing that is damaged
// is ever taken for state, and no damaged file is silently replaced: load() refuses, and the operator asks for
// recovery. Called by one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/state/state_format.h"
#include "vswitch/base/result.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead {

inline constexpr std::string_view kDefaultStateFolder = "/var/lib/bulkhead";

struct RecoveredState {
    std::optional<SavedState> state;  ///< nothing: the folder has never held a state
    std::string set_aside;            ///< path of the damaged file's new name; empty: state.json was intact
};

class StateFile {
  public:
    /// The seam by which tests fail a step of save(): called with the step's name before it is done; what it returns,
    /// if not 0, is taken as the step's errno.
    using Fault = std::function<int(std::string_view step)>;

    /// Creates the folder where there is none and takes its lock; `in_use` when another process has it and does not let
    /// go of it within `patience`.
    static Result<StateFile> open(std::string folder, Fault fault = {}, std::chrono::milliseconds patience = {});

    /// What load() would give at this moment, while another process may have the lock.
    [[nodiscard]] static Result<std::optional<SavedState>> look(const std::string& folder);

    /// Comes after a load() or load_last_good() that succeeded: what stands as state.json becomes the predecessor
    /// unread. When it returns without an error the state is on the disk. After an error the former state still is, and
    /// is what load() gives. Errors name the path and the reason.
    Result<> save(std::uint64_t generation, std::string_view body);

    /// Nothing when no state was ever saved. An Error when state.json can't be read, is damaged, is missing though its
    /// predecessor is there, or comes from a newer program; it says whether there is an intact predecessor.
    [[nodiscard]] Result<std::optional<SavedState>> load() const;

    /// For --recover: takes the newer of the two files that is intact and makes it state.json; a state.json that is not
    /// chosen is set aside under a new name. An Error when files exist and none is intact.
    Result<RecoveredState> load_last_good();

    [[nodiscard]] const std::string& folder() const { return folder_; }

  private:
    StateFile(std::string folder, UniqueFd directory, UniqueFd lock, Fault fault)
        : folder_(std::move(folder)),
          directory_(std::move(directory)),
          lock_(std::move(lock)),
          fault_(std::move(fault)) {}

    [[nodiscard]] std::unexpected<Error> failed(const std::string& what, const std::string& name, int error) const;
    [[nodiscard]] int step(std::string_view name, const std::function<int()>& act) const;
    Result<> write_new(const std::string& content);
    Result<bool> keep_former();
    Result<> put_in_force(bool had_former);
    int link_over(const std::string& from, const std::string& to) const;
    int sync_folder() const;
    [[nodiscard]] Result<std::optional<SavedState>> read(const std::string& name) const;
    [[nodiscard]] std::string last_good() const;
    Result<std::string> set_aside(const std::string& name);

    std::string folder_;
    UniqueFd directory_;
    UniqueFd lock_;
    Fault fault_;
};

}  // namespace bulkhead
