// SPDX-License-Identifier: Apache-2.0
// The whole configuration as one JSON object: in the file, in config.apply, in config.get and in the state folder.
#pragma once

#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "control/config/node.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead::config {

inline constexpr int kVersion = 1;

struct ConfigDocument {
    std::optional<Node> node;
    Model model;
};

/// Objects that do not name their owner get `owner`. Errors have `field` relative to the document. Whether the objects
/// fit together is not looked at, only that no array has two of one name.
[[nodiscard]] Result<ConfigDocument> decode_document(const nlohmann::json& document, std::string_view owner = {});
[[nodiscard]] nlohmann::json encode_document(const ConfigDocument& document);

/// Brings an Error about one object ("port web-0", "/segment") into the document that the object came from
/// ("/ports/3/segment"), with the object named in the message. Left as it is when the object is not in there.
[[nodiscard]] Error locate(Error error, const nlohmann::json& document);

/// Brings "/vlans/N" of the model, which is sorted by VLAN, back to the place where the request had it.
[[nodiscard]] Error locate_vlan(Error error, const nlohmann::json& port);

}  // namespace bulkhead::config
