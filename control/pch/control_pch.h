// SPDX-License-Identifier: Apache-2.0
// Precompiled: what nearly every file of the control path includes and what takes longest to read.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
