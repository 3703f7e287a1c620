// SPDX-License-Identifier: Apache-2.0
// The script in a real bash, asking a scripted switch for names.
#include "control/cli/completion.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/cli/fake_switch.h"
#include "tests/unit/control/cli/process.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;

class Completion : public testing::Test {
  protected:
    /// What bash would offer for these words, the last of which is being typed.
    std::vector<std::string> offered(const std::vector<std::string>& words) {
        std::string script = bash_completion() + "\nCOMP_WORDS=(bulkheadctl";
        for (const auto& word : words) script += " '" + word + "'";
        script += ")\nCOMP_CWORD=" + std::to_string(words.size()) +
                  "\n_bulkheadctl\n((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"\n";
        const std::string folder = std::filesystem::path(BULKHEADCTL).parent_path().string();
        const auto done = run_program(
            {"/bin/bash", "-c", script},
            {.environment = {"PATH=" + folder + ":/usr/bin:/bin", "BULKHEAD_SOCKET=" + fake_.path()}, .input = {}});
        EXPECT_EQ(done.err, "");
        std::istringstream lines(done.out);
        std::vector<std::string> words_offered;
        for (std::string line; std::getline(lines, line);) words_offered.push_back(line);
        return words_offered;
    }

    FakeSwitch fake_{{
        {"segment.list",
         [](const json&) {
             return result(
                 {{"items", {{{"name", "blue"}}, {{"name", "black"}}, {{"name", "red"}}}}, {"cursor", nullptr}});
         }},
        {"port.list",
         [](const json&) {
             return result({{"items", {{{"name", "web-0"}}, {{"name", "$(echo evil)"}}, {{"name", "`echo evil`"}}}},
                            {"cursor", nullptr}});
         }},
    }};
};

TEST_F(Completion, OffersNounsVerbsAndOptions) {
    EXPECT_THAT(offered({"se"}), ElementsAre("segment"));
    EXPECT_THAT(offered({""}), IsSupersetOf({"port", "watch", "--socket"}));
    EXPECT_THAT(offered({""}), Not(Contains("capture")));
    EXPECT_THAT(offered({"port", ""}), ElementsAre("add", "get", "list", "move", "remove", "set"));
    EXPECT_THAT(offered({"policy", "im"}), ElementsAre("import"));
    EXPECT_THAT(offered({"policy", "import", "x.yaml", "--la"}), ElementsAre("--labels"));
    EXPECT_THAT(offered({"segment", "add", "--mac-"}), ElementsAre("--mac-limit", "--mac-age-s"));
    EXPECT_THAT(offered({"--json", "port", "ge"}), ElementsAre("get"));
    EXPECT_THAT(offered({"call", "system."}), ElementsAre("system.get", "system.shutdown"));
}

TEST_F(Completion, OffersNamesOfWhatThereIs) {
    EXPECT_THAT(offered({"segment", "get", "bl"}), ElementsAre("blue", "black"));
    EXPECT_THAT(offered({"segment", "add", "bl"}), ElementsAre());
    EXPECT_THAT(offered({"port", "add", "x", "--segment", "r"}), ElementsAre("red"));
    EXPECT_THAT(offered({"stats", "get", "--port", ""}), ElementsAre("web-0"));
    EXPECT_THAT(offered({"fdb", "add", "b"}), ElementsAre("blue", "black"));
}

}  // namespace
}  // namespace bulkhead::cli
