// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace bulkhead {

/// Who a caller is. An admin may do all; an operator all but what is the admin's; a viewer only reads; a tenant reads
/// and changes what hangs on segments of its own tenant.
enum class Role : std::uint8_t { none = 0, tenant = 1, viewer = 2, operator_ = 4, admin = 8 };

/// The roles that may call a method, as a set of Role bits. Every set includes admin.
using RoleSet = std::uint8_t;

inline constexpr RoleSet kAnyone = 0x1f;  ///< also callers with no role
inline constexpr RoleSet kAdmins = 8;
inline constexpr RoleSet kOperators = 8 | 4;
inline constexpr RoleSet kOperatorsAndTenants = 8 | 4 | 1;
inline constexpr RoleSet kViewers = 8 | 4 | 2;
inline constexpr RoleSet kViewersAndTenants = 8 | 4 | 2 | 1;

}  // namespace bulkhead
