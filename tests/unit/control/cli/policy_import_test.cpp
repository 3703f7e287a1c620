// SPDX-License-Identifier: Apache-2.0
// The real program imports policies into a switch that keeps what it is told.
#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/cli/fake_switch.h"
#include "tests/unit/control/cli/process.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// Applies, merges and forgets nothing, as far as an import sees it. FakeSwitch asks it from one thread.
class Configuration {
  public:
    json get(const json& params) const {
        json document = {{"version", 1}, {"node", json::object()}, {"segments", {{{"name", "blue"}, {"vni", 1}}}}};
        if (!params.contains("owner")) document["ports"] = ports;
        for (const char* kind : {"groups", "policies"}) document[kind] = own.value(kind, json::array());
        return result(document);
    }
    json apply(const json& params) {
        if (conflicts > 0 && conflicts-- > 0) return {{"error", {{"code", -32003}, {"message", "changed meanwhile"}}}};
        if (params.at("dry_run") == false) own = params.at("config");
        return result({{"generation", ++generation}, {"changes", json::array()}, {"dry_run", params.at("dry_run")}});
    }
    json set_port(const json& params) {
        const json& name = params.at("name");
        if (name == "file-0")
            return {{"error", {{"code", -32006}, {"message", "port \"file-0\" belongs to the file"}}}};
        for (json& port : ports)
            if (port.at("name") == name) port.merge_patch(params);
        return result({{"generation", ++generation}});
    }

    json ports, own = json::object();
    unsigned generation = 1, conflicts = 0;
};

class PolicyImport : public testing::Test {
  protected:
    Finished import(std::vector<std::string> options = {}) {
        std::vector<std::string> command = {
            BULKHEADCTL, "policy", "import",   BULKHEAD_CONFIGS "/multi-network-policy.yaml",
            "--segment", "blue",   "--labels", BULKHEAD_CONFIGS "/port-labels.yaml"};
        command.insert(command.end(), options.begin(), options.end());
        return run_program(command, {.environment = {"BULKHEAD_SOCKET=" + switch_.path()}, .input = {}});
    }
    std::vector<std::string> changes() const {
        std::vector<std::string> methods;
        for (const json& request : switch_.requests()) {
            const json& params = request.at("params");
            if (request.at("method") == "port.set") methods.push_back("set " + params.at("name").get<std::string>());
            if (request.at("method") != "config.apply") continue;
            const json& config = params.at("config");
            methods.push_back("apply " + std::to_string(config.at("groups").size()) + " groups, " +
                              std::to_string(config.value("policies", json::array()).size()) + " rules");
        }
        return methods;
    }
    json group_of(const std::string& port) const {
        for (const json& one : configuration_.ports)
            if (one.at("name") == port) return one.value("group", json());
        return nullptr;
    }

    Configuration configuration_{.ports = json::parse(R"([{"name": "web-0", "segment": "blue"},
        {"name": "db-0", "segment": "blue"}, {"name": "other", "segment": "red"}])")};
    FakeSwitch switch_{
        {{"system.get", [this](const json&) { return result({{"generation", configuration_.generation}}); }},
         {"config.get", [this](const json& params) { return configuration_.get(params); }},
         {"config.apply", [this](const json& params) { return configuration_.apply(params); }},
         {"port.set", [this](const json& params) { return configuration_.set_port(params); }}}};
};

TEST_F(PolicyImport, GroupsComeFirstThenPortsThenAllRulesAtOnce) {
    const auto done = import();
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.err, "");
    EXPECT_THAT(done.out, HasSubstr("segment blue: 3 policies, 4 groups, "));
    EXPECT_THAT(done.out, HasSubstr("ports: 2 got their group, 0 had it, 3 not in the segment here\n"));
    const std::string rules = std::to_string(configuration_.own.at("policies").size()) + " rules";
    EXPECT_THAT(changes(), ElementsAre("apply 4 groups, 0 rules", "set web-0", "set db-0", "apply 4 groups, " + rules));
    EXPECT_EQ(switch_.requests().back().at("params").at("owner"), "policy-import");
}

TEST_F(PolicyImport, AgainItIsOneStep) {
    ASSERT_EQ(import().status, 0);
    const auto before = changes().size();
    const auto again = import({"--json"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(changes().size(), before + 1);
    EXPECT_EQ(json::parse(again.out).at("ports").at("right"), json({"web-0", "db-0"}));
}

TEST_F(PolicyImport, APortWithFormerLabelsChangesAfterTheRules) {
    configuration_.own["groups"] = {{{"segment", "blue"}, {"name", "former"}, {"id", 5}}};
    configuration_.ports[0]["group"] = "former";
    ASSERT_EQ(import().status, 0);
    const auto steps = changes();
    ASSERT_EQ(steps.size(), 5U) << testing::PrintToString(steps);
    EXPECT_THAT(steps[0], HasSubstr("apply 5 groups, 0 rules"));
    EXPECT_EQ(steps[1], "set db-0");
    EXPECT_THAT(steps[2], HasSubstr("apply 5 groups"));
    EXPECT_EQ(steps[3], "set web-0");
    EXPECT_THAT(steps[4], HasSubstr("apply 4 groups"));
    EXPECT_THAT(group_of("web-0").get<std::string>(), testing::StartsWith("shop-web-"));
}

TEST_F(PolicyImport, PortsThatItMayNotChangeAreToldOf) {
    configuration_.ports[0]["group"] = "of-somebody";
    const auto done = import();
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.err,
                testing::MatchesRegex("bulkheadctl: port \"web-0\" should have group \"shop-web-[0-9a-f]*\" and "
                                      "could not be given it: it has one of another owner\n"));
    EXPECT_EQ(group_of("web-0"), "of-somebody");
    EXPECT_TRUE(group_of("db-0").is_string());
}

TEST_F(PolicyImport, APortOfTheFileKeepsItsFormerGroupAndThatStays) {
    configuration_.own["groups"] = {{{"segment", "blue"}, {"name", "former"}, {"id", 5}}};
    configuration_.ports.push_back({{"name", "file-0"}, {"segment", "blue"}, {"group", "former"}});
    const auto done = import();
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.err, HasSubstr("port \"file-0\" belongs to the file"));
    EXPECT_EQ(configuration_.own.at("groups").size(), 5U);
    EXPECT_EQ(configuration_.own.at("policies")[0].at("action"), "deny");
}

TEST_F(PolicyImport, ADryRunChangesNothing) {
    const auto done = import({"--dry-run", "--json", "--owner", "me"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(configuration_.own, json::object());
    EXPECT_EQ(changes().size(), 1U);
    EXPECT_EQ(switch_.requests().back().at("params").at("owner"), "me");
    const json shown = json::parse(done.out);
    EXPECT_EQ(shown.at("config").at("groups").size(), 4U);
    EXPECT_EQ(shown.at("ports").at("to_set").size(), 2U);
}

TEST_F(PolicyImport, IsTriedAgainWhenTheSwitchChangedMeanwhile) {
    configuration_.conflicts = 2;
    EXPECT_EQ(import().status, 0);
    configuration_.conflicts = 100;
    const auto done = import();
    EXPECT_EQ(done.status, 1);
    EXPECT_THAT(done.err, HasSubstr("changed meanwhile"));
}

TEST_F(PolicyImport, BadFilesAndWrongUsageReachNoSwitch) {
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {BULKHEADCTL, "policy", "import"});
        return run_program(words, {.environment = {"BULKHEAD_SOCKET=" + switch_.path()}, .input = "kind: Pod"});
    };
    const std::string labels = BULKHEAD_CONFIGS "/port-labels.yaml";
    EXPECT_EQ(run({}).status, 2);
    EXPECT_EQ(run({"-", "--segment", "blue"}).status, 2);
    EXPECT_EQ(run({"-", "--segment", "blue", "--labels", labels, "--frob"}).status, 2);
    EXPECT_THAT(run({"/nonexistent", "--segment", "blue", "--labels", labels}).err, HasSubstr("No such file"));
    const auto bad = run({"-", "--segment", "blue", "--labels", labels});
    EXPECT_EQ(bad.status, 2);
    EXPECT_EQ(bad.err,
              "bulkheadctl: -: document 1: /kind: this is no MultiNetworkPolicy; got \"Pod\"; allowed "
              "MultiNetworkPolicy, or a List of them\n");
    EXPECT_TRUE(switch_.requests().empty());
}

TEST_F(PolicyImport, SaysWhatKubernetesWouldDoOtherwise) {
    configuration_.ports.push_back({{"name", "stranger"}, {"segment", "blue"}});
    const auto done = import();
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(done.err, "bulkheadctl: warning: ports without labels, which no policy selects: stranger\n");
    EXPECT_THAT(run_program({BULKHEADCTL, "policy", "import", "--help"}).out, HasSubstr("--labels FILE"));
    EXPECT_THAT(run_program({BULKHEADCTL, "policy", "--help"}).out, HasSubstr("import "));
}

}  // namespace
}  // namespace bulkhead::cli
