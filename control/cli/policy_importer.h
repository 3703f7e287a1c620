// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "control/cli/session.h"
#include "control/policy_import/transition.h"

namespace bulkhead::cli {

struct ImportTarget {
    std::string segment;
    std::string owner = "policy-import";
    bool dry_run = false;
};

/// Puts an import in force on a switch, in the steps of control/policy_import/transition.h, and tells of it.
class PolicyImporter {
  public:
    PolicyImporter(const Session& session, api::Client& client, const ImportTarget& target,
                   const policy_import::Import& import)
        : session_(session), client_(client), target_(target), import_(import) {}

    int run();  ///< the exit status

  private:
    /// What the switch has at this moment.
    struct Present {
        nlohmann::json generation;
        nlohmann::json own;  ///< the owner's configuration
        nlohmann::json all;
        std::set<std::string> used_groups;  ///< of the owner's, those that ports of the segment have
    };
    /// A refusal, and what was refused.
    struct Refused {
        api::CallFailure failure;
        std::string method;
        nlohmann::json params;
    };
    template <typename T>
    using Outcome = std::expected<T, Refused>;
    using MakeConfig = std::function<nlohmann::json(const Present&)>;

    Outcome<nlohmann::json> call(const std::string& method, const nlohmann::json& params);
    Outcome<Present> present();
    Outcome<Present> apply(const MakeConfig& config);  ///< the configuration that it was made of
    void set_ports(const std::vector<policy_import::PortChange>& changes);
    Outcome<int> carry_out();
    void warn(const Present& before);
    void tell();

    const Session& session_;
    api::Client& client_;
    const ImportTarget& target_;
    const policy_import::Import& import_;
    policy_import::PortPlan plan_;
    std::vector<std::string> set_;  ///< ports that got their group
    nlohmann::json failed_ = nlohmann::json::array();
    nlohmann::json warnings_ = nlohmann::json::array();
    nlohmann::json result_;  ///< of the last config.apply
};

}  // namespace bulkhead::cli
