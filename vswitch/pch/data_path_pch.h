// SPDX-License-Identifier: Apache-2.0
// Precompiled (so no include guard: GCC warns of one in a main file): what nearly every file of the switch and of its
// ports includes and what takes longest to read. Files include what they use all the same: -Db_pch=false builds too.

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

#include <rte_mbuf.h>
