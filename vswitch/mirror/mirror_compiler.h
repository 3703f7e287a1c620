// SPDX-License-Identifier: Apache-2.0
// Compiles mirrors, and the rules that mirror, into a snapshot.
//
// Threads: control.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

class RuleSet;

class MirrorCompiler {
  public:
    /// `snapshot` has all but its mirrors; `indices` has those of all that copies. Rules that have not changed are not
    /// compiled again.
    void add_mirrors(Snapshot& snapshot, const Model& model, const Indices& indices);

  private:
    /// Of one segment.
    struct Source {
        std::vector<Policy> rules;
        std::map<std::string, Group> groups;
        bool operator==(const Source&) const = default;
    };
    struct Compiled {
        Source source;
        std::shared_ptr<const RuleSet> rules;
    };

    [[nodiscard]] static std::map<std::string, Source> sources_of(const Model& model);
    [[nodiscard]] const Compiled& compiled(const std::string& segment, Source source, const Indices& indices);

    std::map<std::string, Compiled> compiled_;  ///< by segment
};

}  // namespace bulkhead
