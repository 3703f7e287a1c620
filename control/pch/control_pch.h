// SPDX-License-Identifier: Apache-2.0
// Precompiled (so no include guard: GCC warns of one in a main file): what nearly every file of the control path
// includes and what takes longest to read.

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
