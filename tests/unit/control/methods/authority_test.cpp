// SPDX-License-Identifier: Apache-2.0
// Tenants, operators and the paths that are the admin's alone.
#include "control/methods/authority.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "control/methods/path_rules.h"
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

namespace fs = std::filesystem;

class Folder {
  public:
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    const fs::path path = fs::temp_directory_path() / ("bulkhead-roots-" + std::to_string(::getpid()));
};

class Authority : public Desk {
  protected:
    Authority() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("segment.add", {{"name", "red"}, {"vni", 2}, {"tenant", "other"}});
        done("port.add", guest("web", "blue"));
        done("port.add", guest("spy", "red"));
        json trunk = guest("fw", "blue");
        trunk["vlans"] = json::parse(R"([{"vlan": 10, "segment": "red"}])");
        done("port.add", trunk);
        done("port.add", {{"name", "nic"}, {"type", "ethdev"}, {"devargs", "net_null0"}});
    }
    Answer as_tenant(std::string_view method, const json& params) { return call(method, params, acme); }
    Answer as_operator(std::string_view method, const json& params) { return call(method, params, oper); }
};

TEST_F(Authority, TenantsSeeTheirOwnAlone) {
    auto names = [&](const char* method) {
        std::string text;
        const json answer = *as_tenant(method, json::object());
        for (const json& item : answer["items"]) text += item["name"].get<std::string>() + " ";
        return text;
    };
    EXPECT_EQ(names("segment.list"), "blue ");
    EXPECT_EQ(names("port.list"), "web ");
    for (const char* method : {"port.get", "port.remove", "port.set"}) {
        expect_refusal(as_tenant(method, {{"name", "spy"}}), ErrorCode::not_found, "/name");
        expect_refusal(as_tenant(method, {{"name", "fw"}}), ErrorCode::not_found, "/name");
        expect_refusal(as_tenant(method, {{"name", "nic"}}), ErrorCode::not_found, "/name");
    }
    for (const char* method : {"segment.get", "segment.remove", "segment.set"}) {
        expect_refusal(as_tenant(method, {{"name", "red"}}), ErrorCode::not_found, "/name");
    }
    expect_refusal(as_tenant("stats.get", {{"segment", "red"}}), ErrorCode::not_found, "/segment");
    expect_refusal(as_tenant("stats.get", {{"worker", 0}}), ErrorCode::not_found, "/worker");
    expect_refusal(as_tenant("fdb.list", {{"segment", "red"}}), ErrorCode::not_found, "/segment");
    expect_refusal(as_tenant("fdb.flush", {{"port", "spy"}}), ErrorCode::not_found, "/port");
    const json stats = *as_tenant("stats.get", json::object());
    EXPECT_EQ(stats["ports"].size(), 1U);
    EXPECT_EQ(stats["segments"].size(), 1U);
    EXPECT_FALSE(stats.contains("workers"));
}

TEST_F(Authority, WhatIsNotThereAndWhatIsHiddenLookTheSame) {
    auto hidden = as_tenant("port.add", guest("new", "red"));
    auto absent = as_tenant("port.add", guest("new", "green"));
    expect_refusal(hidden, ErrorCode::not_found, "/segment");
    expect_refusal(absent, ErrorCode::not_found, "/segment");
    EXPECT_EQ(hidden.error().message, "no segment \"red\"");
    EXPECT_EQ(absent.error().message, "no segment \"green\"");
}

TEST_F(Authority, RefusalsTellATenantNoNamesOfOthers) {
    auto answer = as_tenant("segment.add", {{"name", "new"}, {"vni", 2}});
    expect_refusal(answer, ErrorCode::invalid_params, "/vni");
    EXPECT_EQ(answer.error().message, "vni 2 is taken by segment of somebody else");
    answer = as_tenant("segment.remove", {{"name", "blue"}, {"force", true}});
    expect_refusal(answer, ErrorCode::in_use, "/name");
    EXPECT_EQ(answer.error().message.find("fw"), std::string::npos) << answer.error().message;
}

TEST_F(Authority, RefusalsTellATenantNothingInWhatTheyGot) {
    const auto answer = as_tenant("segment.remove", {{"name", "blue"}, {"force", true}});
    expect_refusal(answer, ErrorCode::in_use, "/name");
    EXPECT_EQ(answer.error().got, "port of somebody else");
}

TEST_F(Authority, OwnersOfOthersHaveNoNameEither) {
    json theirs = guest("theirs", "blue");
    theirs["vlans"] = json::parse(R"([{"vlan": 10, "segment": "red"}])");
    theirs["owner"] = "zeta";
    done("port.remove", {{"name", "fw"}});
    done("port.add", theirs);
    const auto answer = as_tenant("segment.remove", {{"name", "blue"}, {"force", true}});
    EXPECT_EQ(answer.error().message, "segment \"blue\" is in use by port of somebody else");
}

TEST_F(Desk, ReasonsTellATenantNoNamesOfOthers) {
    using testing_support::model_of;
    auto of = [](const char* tenant, Segment segment) {
        segment.tenant = tenant;
        return segment;
    };
    const Model theirs =
        model_of(of("other", testing_support::segment("red", 1, "file")), testing_support::guest("web", "red", "file"));
    Port mine = testing_support::guest("mine", "blue");
    mine.device = theirs.ports.at("web").device;
    const Model saved = model_of(of("acme", testing_support::segment("pink", 1)),
                                 of("acme", testing_support::segment("blue", 2)), mine);
    ASSERT_TRUE(world.engine.start(theirs, {1, saved}));
    auto reason = [&](const char* method, const char* name, const rpc::Caller& who) {
        return (*call(method, {{"name", name}}, who))["state"]["reason"].get<std::string>();
    };
    EXPECT_EQ(reason("segment.get", "pink", oper), "vni 1 is taken by segment \"red\"");
    EXPECT_EQ(reason("segment.get", "pink", acme), "vni 1 is taken by segment of somebody else");
    EXPECT_EQ(reason("port.get", "mine", acme), "path /run/web is taken by port of somebody else");
    for (const char* list : {"segment.list", "port.list"}) {
        const json answer = *call(list, json::object(), acme);
        EXPECT_EQ(answer.dump().find("\\\""), std::string::npos) << answer.dump();
    }
}

TEST_F(Authority, WhatIsHiddenAnswersAlikeWhateverItsContent) {
    auto text = [](const Answer& answer) {
        if (answer) return answer->dump();
        const Error& error = answer.error();
        return std::to_string(static_cast<int>(error.code)) + error.field + error.message + error.got + error.allowed;
    };
    const json red = {{"name", "red"}, {"vni", 2}, {"tenant", "other"}};
    const auto guessed = as_tenant("segment.add", red);
    expect_refusal(guessed, ErrorCode::exists, "/name");
    EXPECT_EQ(text(guessed), text(as_tenant("segment.add", {{"name", "red"}, {"vni", 9}})));
    const auto port = as_tenant("port.add", guest("spy", "red"));
    expect_refusal(port, ErrorCode::exists, "/name");
    EXPECT_EQ(text(port), text(as_tenant("port.add", guest("spy", "blue"))));
    EXPECT_TRUE(as_tenant("segment.add", {{"name", "blue"}, {"vni", 1}, {"owner", ""}})) << "what it sees";
}

TEST_F(Authority, TenantsMakeSegmentsAndPortsOfTheirOwn) {
    const json segment = *as_tenant("segment.add", {{"name", "mine"}, {"vni", 7}});
    EXPECT_EQ(segment["object"]["tenant"], "acme");
    EXPECT_TRUE(as_tenant("port.add", guest("mine-0", "mine")));
    EXPECT_TRUE(as_tenant("port.set", {{"name", "mine-0"}, {"segment", "blue"}}));
    EXPECT_TRUE(as_tenant("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:01"}, {"port", "mine-0"}}));
    EXPECT_TRUE(as_tenant("port.remove", {{"name", "mine-0"}}));
    EXPECT_TRUE(as_tenant("segment.remove", {{"name", "mine"}}));
}

TEST_F(Authority, WhatATenantAddsIsItsOwn) {
    EXPECT_EQ((*as_tenant("segment.add", {{"name", "mine"}, {"vni", 7}}))["object"]["owner"], "acme");
    EXPECT_EQ((*as_tenant("port.add", guest("mine-0", "mine")))["object"]["owner"], "acme");
    const json entry = {{"segment", "mine"}, {"mac", "02:00:00:00:00:01"}, {"port", "mine-0"}};
    EXPECT_EQ((*as_tenant("fdb.add", entry))["object"]["owner"], "acme");
    json theirs = guest("mine-1", "mine");
    theirs["owner"] = "cni";
    EXPECT_EQ((*as_tenant("port.add", theirs))["object"]["owner"], "cni") << "unless it says otherwise";
    done("config.apply", {{"config", {{"version", 1}}}});
    EXPECT_FALSE(world.engine.configured().ports.contains("web"));
    EXPECT_TRUE(world.engine.configured().ports.contains("mine-0"));
}

TEST_F(Authority, TenantsCanNotReachBeyond) {
    expect_refusal(as_tenant("segment.add", {{"name", "n"}, {"vni", 7}, {"tenant", "other"}}), ErrorCode::denied,
                   "/tenant");
    expect_refusal(as_tenant("segment.add", {{"name", "n"}, {"vni", 7}, {"tenant", ""}}), ErrorCode::denied, "/tenant");
    expect_refusal(as_tenant("segment.set", {{"name", "blue"}, {"tenant", "other"}}), ErrorCode::denied, "/tenant");
    expect_refusal(as_tenant("port.set", {{"name", "web"}, {"segment", "red"}}), ErrorCode::not_found, "/segment");
    expect_refusal(as_tenant("port.set", {{"name", "web"}, {"segment", nullptr}}), ErrorCode::denied, "/segment");
    expect_refusal(as_tenant("port.set", {{"name", "web"}, {"vlans", {{{"vlan", 5}, {"segment", "red"}}}}}),
                   ErrorCode::not_found, "/vlans/0/segment");
    expect_refusal(
        as_tenant("port.add", {{"name", "n"}, {"type", "ethdev"}, {"devargs", "net_null1"}, {"segment", "blue"}}),
        ErrorCode::denied, "/type");
    expect_refusal(as_tenant("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:01"}, {"port", "fw"}}),
                   ErrorCode::not_found, "/port");
    EXPECT_EQ(world.engine.generation(), 6U);
}

TEST_F(Authority, EthdevsAreTheAdminsAlone) {
    expect_refusal(as_operator("port.add", {{"name", "n"}, {"type", "ethdev"}, {"devargs", "net_null1"}}),
                   ErrorCode::denied, "/type");
    expect_refusal(as_operator("port.remove", {{"name", "nic"}}), ErrorCode::denied, "/name");
    const json config = {{"version", 1}, {"ports", {{{"name", "n"}, {"type", "ethdev"}, {"devargs", "net_null1"}}}}};
    expect_refusal(as_operator("config.apply", {{"config", config}, {"owner", "me"}}), ErrorCode::denied,
                   "/config/ports/0/type");
}

TEST_F(Authority, PathsOutsideTheRootsAreTheAdminsAlone) {
    json port = guest("n", "blue");
    port["path"] = "/run/evil";
    expect_refusal(as_operator("port.add", port), ErrorCode::denied, "/path");
    json pod = {{"name", "n"}, {"type", "tap"}, {"ifname", "n0"}, {"segment", "blue"}};
    expect_refusal(as_operator("port.add", pod), ErrorCode::denied, "/netns");  // the daemon's own
    pod["netns"] = "/proc/1/ns/net";
    expect_refusal(as_operator("port.add", pod), ErrorCode::denied, "/netns");
    EXPECT_TRUE(call("port.add", port));
    EXPECT_TRUE(as_operator("port.set", {{"name", "n"}, {"mtu", 1400}}));  // the path is not what changes
}

TEST_F(Authority, ASocketHasOneNameAlone) {
    Folder folder;
    fs::create_directories(folder.path / "root");
    fs::create_directory_symlink(folder.path / "root", folder.path / "alias");
    node.vhost_roots = {(folder.path / "root").string()};
    json port = guest("n", "blue"), again = guest("m", "blue");
    port["path"] = (folder.path / "root" / "a").string();
    EXPECT_TRUE(as_tenant("port.add", port));
    again["path"] = (folder.path / "root" / "." / "a").string();
    expect_refusal(as_tenant("port.add", again), ErrorCode::invalid_params, "/path");
    again["path"] = (folder.path / "alias" / "a").string();
    expect_refusal(as_tenant("port.add", again), ErrorCode::denied, "/path");
}

TEST(PathRules, ResolveLinksAndDots) {
    Folder folder;
    const fs::path root = folder.path / "root", outside = folder.path / "outside";
    fs::create_directories(root / "sub");
    fs::create_directories(outside);
    std::ofstream(outside / "file").put('\n');
    std::ofstream(root / "file").put('\n');
    fs::create_symlink(outside, root / "escape");
    fs::create_symlink(outside / "file", root / "link");
    fs::create_symlink(outside / "nothing", root / "dangling");
    fs::create_symlink(root / "file", outside / "back");
    fs::create_directory_symlink(root, folder.path / "alias");
    const std::vector<std::string> roots = {root.string()};
    EXPECT_TRUE(is_inside(root / "file", roots));
    EXPECT_TRUE(is_inside(root / "new", roots));
    EXPECT_TRUE(is_inside(root / "sub" / "new", roots));
    EXPECT_TRUE(is_inside(root / "sub" / ".." / "new", roots));
    EXPECT_TRUE(is_inside(folder.path / "alias" / "new", roots));
    EXPECT_TRUE(is_inside(outside / "back", roots));
    EXPECT_TRUE(is_inside(root / "new", {(folder.path / "alias").string() + "/"}));
    EXPECT_FALSE(is_inside(root, roots));
    EXPECT_FALSE(is_inside(outside / "file", roots));
    EXPECT_FALSE(is_inside(root / ".." / "outside" / "new", roots));
    EXPECT_FALSE(is_inside(root / "escape" / "new", roots));
    EXPECT_FALSE(is_inside(root / "link", roots));
    EXPECT_FALSE(is_inside(root / "dangling", roots));
    EXPECT_FALSE(is_inside(root.string() + "x/new", roots));
    EXPECT_FALSE(is_inside(root / "new", {}));
}

TEST_F(Authority, EventsGoToThoseWhoMaySeeTheirObject) {
    const Model& model = world.engine.configured();
    auto event = [](std::string port, std::string segment) {
        return EngineEvent{"kind", json::object(), std::move(port), std::move(segment)};
    };
    EXPECT_TRUE(may_see(acme, model, event("web", "")));
    EXPECT_TRUE(may_see(acme, model, event("web", "blue")));
    EXPECT_FALSE(may_see(acme, model, event("spy", "")));
    EXPECT_FALSE(may_see(acme, model, event("fw", "blue")));
    EXPECT_FALSE(may_see(acme, model, event("", "")));
    EXPECT_TRUE(may_see(oper, model, event("spy", "red")));
}

}  // namespace
}  // namespace bulkhead::methods
