// SPDX-License-Identifier: Apache-2.0
// Precompiled (so no include guard: GCC warns of one in a main file): as vswitch/pch, and GoogleTest.

#include <algorithm>
#include <array>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_mbuf.h>
