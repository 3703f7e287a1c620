// SPDX-License-Identifier: Apache-2.0
// Compiles the rules of every segment that decide into a snapshot, and only those that have changed. Those that mirror
// are the MirrorCompiler's.
//
// Threads: control.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vswitch/model/indices.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

class GroupClasses;
class RuleSet;

/// By which the rules of a segment know its groups.
[[nodiscard]] std::map<std::string, GroupClass> classes_of(const std::map<std::string, Group>& groups);

class PolicyCompiler {
  public:
    /// `snapshot` has its ports, attachments and segments; `indices` has those of all rules.
    void add_policies(Snapshot& snapshot, const Model& model, const Indices& indices);

    /// By which the rules last compiled know a group; kNoGroup: by none.
    [[nodiscard]] GroupClass class_of(const std::string& segment, const std::string& group) const;

  private:
    /// All that a segment's verdicts depend on.
    struct Source {
        std::vector<Policy> rules;  ///< in the order in which they are asked
        std::map<std::string, Group> groups;
        DefaultPolicy otherwise = DefaultPolicy::allow;
        std::vector<std::pair<AttachmentIndex, std::string>> members;  ///< attachments with their groups
        std::vector<AttachmentIndex> trusted;                          ///< of tunnels that tell their frames' groups
        bool operator==(const Source&) const = default;
        [[nodiscard]] bool has_rules_of(const Source& other) const {
            return rules == other.rules && groups == other.groups;
        }
    };
    struct Compiled {
        Source source;
        std::shared_ptr<const RuleSet> rules;
        std::shared_ptr<const GroupClasses> groups;
        std::uint32_t generation = 0;
        std::uint32_t epoch = 0;
    };

    [[nodiscard]] static std::map<std::string, Source> sources_of(const Model& model, const Indices& indices);
    [[nodiscard]] static std::shared_ptr<const GroupClasses> numbered(const Source& source);
    void compile(Compiled& compiled, const Indices& indices, const std::string& segment);

    std::map<std::string, Compiled> compiled_;  ///< by segment
    std::uint32_t generations_ = 0;
};

}  // namespace bulkhead
