// SPDX-License-Identifier: Apache-2.0
// Which of the configured objects can be in force together. An object that does not fit with the others (a VNI that is
// taken, a segment that is not there) waits; it stays configured and is tried again with every change.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "control/state/object_key.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

/// What is configured, what of it is in force (with a port for each host TAP), and why the rest is not.
struct Configuration {
    Model configured;
    Model in_force;
    std::map<ObjectKey, Error> unfit;
    std::uint64_t generation = 0;
};

/// Who goes first when two objects exclude each other, and whether an object may wait.
enum class Claim : std::uint8_t {
    settled,    ///< in force already and not changed: what does not fit with it is to blame
    must,       ///< a refusal refuses the whole arrangement
    preferred,  ///< may wait
    modest,     ///< may wait, and gives way to the others
};

/// Admits every object of `configured`. `workers`: how many there are, for Port::workers.
[[nodiscard]] Result<Configuration> arrange(
    Model configured, std::uint16_t workers,
    const std::function<Claim(const ObjectKey&, const std::string& owner)>& claim_of);

}  // namespace bulkhead
