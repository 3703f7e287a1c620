// SPDX-License-Identifier: Apache-2.0
#include "control/cli/policy_import.h"

#include <ostream>
#include <utility>

#include <boost/program_options.hpp>

#include "control/cli/policy_importer.h"
#include "control/policy_import/import.h"
#include "control/policy_import/read_policies.h"

namespace bulkhead::cli {
namespace {

namespace po = boost::program_options;
namespace import = policy_import;
using nlohmann::json;

constexpr const char* kUsage =
    "usage: bulkheadctl policy import FILE --segment NAME --labels FILE [--owner NAME] [--dry-run]";

struct Files {
    std::string policies, labels;
};

std::expected<std::pair<Files, ImportTarget>, UsageError> read_options(const std::vector<std::string>& words) {
    po::options_description options;
    options.add_options()("file", po::value<std::string>())("segment", po::value<std::string>())(
        "labels", po::value<std::string>())("owner", po::value<std::string>())("dry-run", po::bool_switch());
    po::positional_options_description bare_words;
    bare_words.add("file", 1);
    try {
        po::variables_map values;
        const std::vector<std::string> arguments(words.begin() + 2, words.end());
        namespace style = po::command_line_style;
        po::store(po::command_line_parser(arguments)
                      .options(options)
                      .positional(bare_words)
                      .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
                      .run(),
                  values);
        const auto text = [&](const char* name) {
            return values.contains(name) ? values[name].as<std::string>() : std::string();
        };
        for (const char* name : {"file", "segment", "labels"})
            if (text(name).empty())
                return std::unexpected(UsageError{concat({"policy import needs ", name, "\n", kUsage})});
        ImportTarget target{.segment = text("segment"), .dry_run = values["dry-run"].as<bool>()};
        if (values.contains("owner")) target.owner = text("owner");
        return std::pair(Files{text("file"), text("labels")}, target);
    } catch (const po::error& error) {
        return std::unexpected(UsageError{concat({"policy import: ", error.what(), "\n", kUsage})});
    }
}

/// What a file says, or what is wrong with it, as the person who wrote it would look for it.
template <typename T>
std::expected<T, UsageError> read_file(const std::string& path, Result<T> (*read)(const std::string&)) {
    const auto text = read_text(path);
    if (!text) return std::unexpected(UsageError{"policy import: " + text.error()});
    auto value = read(*text);
    if (!value) return std::unexpected(UsageError{concat({path, ": ", printable(import::text_of(value.error()))})});
    return std::move(*value);
}

}  // namespace

std::string policy_import_help() {
    return "Usage: bulkheadctl policy import FILE --segment NAME --labels FILE [--owner NAME] [--dry-run]\n\n"
           "Makes groups and rules of Kubernetes' MultiNetworkPolicies, in place of the owner's former import.\n\n"
           "Needed:\n"
           "  FILE            policies: YAML or JSON, documents and Lists (`-`: standard input); of them count those\n"
           "                  whose annotation k8s.v1.cni.cncf.io/policy-for names the segment\n"
           "  --segment NAME  the segment that they are for; its default_policy should be allow\n"
           "  --labels FILE   what the pods behind the ports are, YAML or JSON:\n"
           "                  {\"ports\": {\"web-0\": {\"namespace\": \"shop\", \"labels\": {\"app\": \"web\"}}},\n"
           "                   \"namespaces\": {\"shop\": {\"labels\": {\"team\": \"a\"}}}}\n\n"
           "Options:\n"
           "  --owner NAME    whose the groups and rules are (default policy-import)\n"
           "  --dry-run       nothing changes; with --json prints the groups and rules\n\n"
           "Each port gets the group of its labels (port set --group); other nodes get the same from the same files.\n"
           "Ports whose group can't be set are told of, and the exit status is 1. docs/policy.md says more.\n\n"
           "Example:\n"
           "  bulkheadctl policy import policies.yaml --segment blue --labels labels.yaml\n";
}

int run_policy_import(const Session& session) {
    if (session.line.help) {
        session.out << policy_import_help();
        return kDone;
    }
    const auto options = read_options(session.line.words);
    if (!options) return report(session, options.error());
    const auto& [files, target] = *options;
    const auto policies = read_file(files.policies, import::read_policies);
    if (!policies) return report(session, policies.error());
    const auto cluster = read_file(files.labels, import::read_cluster);
    if (!cluster) return report(session, cluster.error());
    const auto translated = import::translate(*policies, *cluster, target.segment);
    if (!translated) return report(session, UsageError{"policy import: " + import::text_of(translated.error())});
    auto client = api::Client::connect(session.line.socket, session.line.timeout);
    if (!client) return report(session, client.error(), "config.apply", json::object());
    return PolicyImporter(session, *client, target, *translated).run();
}

}  // namespace bulkhead::cli
