// SPDX-License-Identifier: Apache-2.0
// Precompiled (so no include guard: GCC warns of one in a main file): as control/pch, and GoogleTest.

#include <algorithm>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
