// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/state/state_file.h"
#include "control/state/surroundings.h"

namespace bulkhead::daemon {

/// The engine's state as a configuration document in the state file.
class StateFolder : public Persistence {
  public:
    /// Whether load() could read what another process has saved there so far.
    [[nodiscard]] static Result<> check(const std::string& folder);

    explicit StateFolder(StateFile file) : file_(std::move(file)) {}

    /// What was saved last; with `recover` the last that is intact, and a warning in the log when that is not the
    /// newest.
    Result<DurableState> load(bool recover);
    Result<> save(const DurableState& state) override;

  private:
    StateFile file_;
};

}  // namespace bulkhead::daemon
