// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "control/config/config_document.h"
#include "vswitch/base/result.h"

namespace bulkhead::config {

/// Whose the objects of the configuration file are.
inline constexpr std::string_view kFileOwner = "file";

/// How much of the file must be right. At start only each object by itself: what does not fit together, or hangs on a
/// segment that is in the state folder, waits there. `--check` wants the whole.
enum class FileCheck : unsigned char { objects, whole };

/// Reads and decodes the configuration file. Every Error's message begins with the place: "FILE:LINE:COLUMN: ".
[[nodiscard]] Result<ConfigDocument> load_config_file(const std::filesystem::path& path, FileCheck check);

/// The same for a text; `name` stands for the file.
[[nodiscard]] Result<ConfigDocument> read_config_text(std::string_view text, std::string_view name, FileCheck check);

}  // namespace bulkhead::config
