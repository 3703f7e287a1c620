// SPDX-License-Identifier: Apache-2.0
// Which addresses frames between two attachments have, by what their ports' security lets their stations say.
#pragma once

#include <vector>

#include "vswitch/model/model.h"
#include "vswitch/verify/axis.h"

namespace bulkhead {

[[nodiscard]] FieldValue value_of(const IpAddress& address);
[[nodiscard]] IpAddress address_of(FlowFamily family, FieldValue value);
[[nodiscard]] ValueRange range_of(const IpPrefix& prefix);  ///< of its network

/// Of a sender with `security` "strict" its own addresses and, beside these, the one of who has none yet; of others
/// all.
[[nodiscard]] AxisDomain source_addresses(const Attachment& sender, FlowFamily family);
/// Of a receiver with `security` "strict" its own addresses and those of many; of others all.
[[nodiscard]] AxisDomain destination_addresses(const Attachment& receiver, FlowFamily family);

/// Whether a frame may come from, or go to, a MAC: one of its own, or of many, where its station is held to its own.
[[nodiscard]] bool may_send_from(const Attachment& sender, MacAddress mac);
[[nodiscard]] bool may_get(const Attachment& receiver, MacAddress mac);

}  // namespace bulkhead
