// SPDX-License-Identifier: Apache-2.0
// add, set, remove, get and list of segments, ports and static entries.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class ObjectMethods : public Desk {
  protected:
    ObjectMethods() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}});
        done("segment.add", {{"name", "red"}, {"vni", 2}});
        done("port.add", guest("web", "blue"));
    }
};

TEST_F(ObjectMethods, AddAnswersTheObjectWithItsDefaults) {
    const json answer = done("segment.add", {{"name", "pink"}, {"vni", 3}});
    EXPECT_EQ(answer["generation"], 4);
    EXPECT_EQ(answer["changed"], true);
    EXPECT_EQ(answer["object"]["mtu"], 1500);
    EXPECT_FALSE(answer["object"].contains("state"));
}

TEST_F(ObjectMethods, AddOfTheSameChangesNothing) {
    json again = guest("web", "blue");
    again["queues"] = 1;  // a default, written out
    const json answer = done("port.add", again);
    EXPECT_EQ(answer["changed"], false);
    EXPECT_EQ(answer["generation"], 3);
}

TEST_F(ObjectMethods, AddOfOtherContentSaysWhatDiffers) {
    json other = guest("web", "red");
    auto answer = call("port.add", other);
    expect_refusal(answer, ErrorCode::exists, "/name");
    EXPECT_EQ(answer.error().message, "port \"web\" exists with other content: segment");
}

TEST_F(ObjectMethods, RefusalsPointIntoTheParameters) {
    expect_refusal(call("segment.add", {{"name", "x"}, {"vni", 1}}), ErrorCode::invalid_params, "/vni");
    expect_refusal(call("segment.add", {{"name", "-"}, {"vni", 9}}), ErrorCode::invalid_params, "/name");
    expect_refusal(call("segment.add", {{"name", "x"}, {"vni", 9}, {"owner", "file"}}), ErrorCode::denied, "/owner");
    expect_refusal(call("port.add", guest("x", "green")), ErrorCode::not_found, "/segment");
    json trunk = guest("x", "blue");
    trunk["vlans"] = json::parse(R"([{"vlan": 20, "segment": "red"}, {"vlan": 10, "segment": "green"}])");
    expect_refusal(call("port.add", trunk), ErrorCode::not_found, "/vlans/1/segment");
    expect_refusal(call("segment.set", {{"name", "blue"}, {"vni", 5}}), ErrorCode::invalid_params, "/vni");
    expect_refusal(call("segment.set", {{"name", "blue"}, {"mtu", 5}}), ErrorCode::invalid_params, "/mtu");
    expect_refusal(call("segment.set", {{"name", "none"}, {"mtu", 1400}}), ErrorCode::not_found, "/name");
    expect_refusal(call("port.set", {{"name", "web"}, {"path", "/x"}}), ErrorCode::invalid_params, "/path");
    expect_refusal(call("port.set", {{"name", "web"}, {"segment", "green"}}), ErrorCode::not_found, "/segment");
    expect_refusal(call("port.set", {{"name", "web"}, {"type", nullptr}}), ErrorCode::invalid_params, "/type");
    expect_refusal(call("port.remove", {{"name", "none"}}), ErrorCode::not_found, "/name");
    expect_refusal(call("segment.remove", {{"name", "blue"}}), ErrorCode::in_use, "/name");
    expect_refusal(call("segment.get", {{"name", "none"}}), ErrorCode::not_found, "/name");
    expect_refusal(call("fdb.add", {{"segment", "red"}, {"mac", "02:00:00:00:00:01"}, {"port", "web"}}),
                   ErrorCode::invalid_params, "/port");
    expect_refusal(call("fdb.add", {{"segment", "none"}, {"mac", "02:00:00:00:00:01"}, {"port", "web"}}),
                   ErrorCode::not_found, "/segment");
    expect_refusal(call("fdb.remove", {{"segment", "blue"}, {"mac", "02:00:00:00:00:01"}}), ErrorCode::not_found,
                   "/mac");
    expect_refusal(call("fdb.remove", {{"segment", "blue"}, {"mac", "x"}}), ErrorCode::invalid_params, "/mac");
    expect_refusal(call("port.list", {{"limit", 0}}), ErrorCode::invalid_params, "/limit");
    expect_refusal(call("port.list", {{"limit", 1001}}), ErrorCode::invalid_params, "/limit");
    EXPECT_EQ(world.engine.generation(), 3U);
}

TEST_F(ObjectMethods, SetMergesThePatch) {
    json answer = done("port.set", {{"name", "web"}, {"segment", "red"}, {"mtu", 1400}});
    EXPECT_EQ(answer["object"]["segment"], "red");
    answer = done("port.set", {{"name", "web"}, {"mtu", nullptr}});
    EXPECT_FALSE(answer["object"].contains("mtu"));
    EXPECT_EQ(answer["object"]["segment"], "red");
    EXPECT_EQ(world.target.model.ports.at("web").attachments[0].segment, "red");
    EXPECT_EQ(done("port.set", {{"name", "web"}, {"segment", "red"}})["changed"], false);
}

TEST_F(ObjectMethods, RemoveByForceDetaches) {
    done("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:01"}, {"port", "web"}});
    const json answer = done("segment.remove", {{"name", "blue"}, {"force", true}});
    EXPECT_EQ(answer["generation"], 5);
    EXPECT_TRUE(world.engine.configured().ports.at("web").attachments.empty());
    EXPECT_TRUE(world.engine.configured().static_macs.empty());
}

TEST_F(ObjectMethods, APortTakesItsStaticEntriesAlong) {
    done("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:01"}, {"port", "web"}});
    done("port.remove", {{"name", "web"}});
    EXPECT_TRUE(world.engine.configured().static_macs.empty());
}

TEST_F(ObjectMethods, StateStandsBesideTheConfiguration) {
    world.target.traffic.rx_packets = 7;
    world.target.traffic.drops[1] = 2;
    world.target.traffic.drops[2] = 3;
    json port = done("port.get", {{"name", "web"}});
    EXPECT_EQ(port["state"]["status"], "up");
    EXPECT_EQ(port["state"]["reason"], nullptr);
    EXPECT_EQ(port["state"]["rx_packets"], 7);
    EXPECT_EQ(port["state"]["drops"], 5);
    EXPECT_EQ(port["state"]["queues"], json::parse(R"([{"queue": 0, "worker": 1}])"));
    port.erase("state");
    EXPECT_EQ(done("port.add", port)["changed"], false);

    world.factory.absent = {"web"};
    world.engine.port_event("web", world.factory.tokens["web"], PortEvent::device_removed);
    EXPECT_EQ(done("port.get", {{"name", "web"}})["state"]["status"], "waiting");
    EXPECT_EQ(done("port.get", {{"name", "web"}})["state"]["reason"], "the device has gone");

    world.target.learned = {{.segment = "blue", .mac = MacAddress(1), .port = "web", .vlan = {}}};
    const json segment = done("segment.get", {{"name", "blue"}});
    EXPECT_EQ(segment["state"]["ports"], 1);
    EXPECT_EQ(segment["state"]["macs"], 1);
}

TEST_F(ObjectMethods, ListsPageByPage) {
    for (int i = 0; i < 5; ++i) done("port.add", guest("p" + std::to_string(i), "red"));
    std::vector<std::string> names;
    json params = {{"limit", 2}};
    for (int pages = 1;; ++pages) {
        const json answer = done("port.list", params);
        for (const json& item : answer["items"]) names.push_back(item["name"]);
        if (answer["cursor"].is_null()) {
            EXPECT_EQ(pages, 3);
            break;
        }
        params["cursor"] = answer["cursor"];
    }
    EXPECT_EQ(names, (std::vector<std::string>{"p0", "p1", "p2", "p3", "p4", "web"}));
}

TEST_F(ObjectMethods, ListsWhatTheFiltersLetPass) {
    done("port.add", {{"name", "tap"}, {"type", "tap"}, {"ifname", "t0"}, {"owner", "cni"}});
    auto names = [&](const char* method, const json& params) {
        std::string text;
        const json answer = done(method, params);
        for (const json& item : answer["items"]) text += item["name"].get<std::string>() + " ";
        return text;
    };
    EXPECT_EQ(names("port.list", {{"segment", "blue"}}), "web ");
    EXPECT_EQ(names("port.list", {{"type", "tap"}}), "tap ");
    EXPECT_EQ(names("port.list", {{"owner", "cni"}}), "tap ");
    EXPECT_EQ(names("port.list", {{"state", "waiting"}}), "");
    EXPECT_EQ(names("port.list", {{"state", "up"}}), "tap web ");
    EXPECT_EQ(names("segment.list", {{"tenant", "acme"}}), "");
    EXPECT_EQ(names("segment.list", json::object()), "blue red ");
}

TEST_F(ObjectMethods, FiltersThatNameNothingAreRefused) {
    auto answer = call("port.list", {{"state", "bogus"}});
    expect_refusal(answer, ErrorCode::invalid_params, "/state");
    EXPECT_EQ(answer.error().got, R"("bogus")");
    EXPECT_EQ(answer.error().allowed, "up, down or waiting");
    answer = call("port.list", {{"type", "veth"}});
    expect_refusal(answer, ErrorCode::invalid_params, "/type");
    EXPECT_EQ(answer.error().allowed, "ethdev, tap or vhost-user");
    expect_refusal(call("port.list", {{"segment", "green"}}), ErrorCode::not_found, "/segment");
}

TEST_F(Desk, PortsThatWaitForASegmentAreListedByIt) {
    ASSERT_TRUE(world.engine.start({}, {1, testing_support::model_of(testing_support::guest("web", "green"))}));
    EXPECT_EQ(done("port.list", {{"segment", "green"}})["items"].size(), 1U);
    expect_refusal(call("port.list", {{"segment", "green"}}, acme), ErrorCode::not_found, "/segment");
}

TEST_F(ObjectMethods, FlushForgetsAndListShows) {
    world.target.learned = {
        {.segment = "blue", .mac = MacAddress(0x020000000005), .port = "web", .vlan = {}, .age_s = 4}};
    EXPECT_EQ(
        done("fdb.list", {{"segment", "blue"}})["items"],
        json::parse(R"([{"segment": "blue", "mac": "02:00:00:00:00:05", "port": "web", "tunnel": null, "vlan": null,
                               "static": false, "age_s": 4, "ips": []}])"));
    EXPECT_EQ(done("fdb.flush", json::object())["removed"], 1);
}

TEST_F(ObjectMethods, ListsTheTableInPages) {
    // "-" sorts before "/": a cursor compared as text would lose the second segment.
    for (const char* segment : {"blue", "blue-2"})
        for (std::uint64_t station = 1; station <= 3; ++station)
            world.target.learned.push_back(
                {.segment = segment, .mac = MacAddress(0x020000000000 + station), .port = "web", .vlan = {}});
    json params = {{"limit", 2}};
    std::vector<std::string> shown;
    for (int page = 0; page < 3; ++page) {
        const json answer = done("fdb.list", params);
        for (const json& item : answer["items"])
            shown.push_back(item["segment"].get<std::string>() + " " + item["mac"].get<std::string>().substr(15));
        EXPECT_EQ(answer["cursor"].is_null(), page == 2);
        if (page < 2) params["cursor"] = answer["cursor"];
    }
    EXPECT_EQ(shown,
              (std::vector<std::string>{"blue 01", "blue 02", "blue 03", "blue-2 01", "blue-2 02", "blue-2 03"}));
    for (const char* cursor : {"", "blue", "blue/nonsense"})
        expect_refusal(call("fdb.list", {{"cursor", cursor}}), ErrorCode::invalid_params, "/cursor");
}

TEST_F(ObjectMethods, SetPointsAtTheEntryOfTheRequest) {
    auto vlans = [&](const char* text) { return call("port.set", {{"name", "web"}, {"vlans", json::parse(text)}}); };
    auto answer = vlans(R"([{"vlan": "10", "segment": "blue"}, {"vlan": 20, "segment": "red"}])");
    expect_refusal(answer, ErrorCode::invalid_params, "/vlans/0/vlan");
    answer = vlans(R"([{"vlan": 20, "segment": "red"}, {"vlan": 10, "segment": "blue", "bogus": 1}])");
    expect_refusal(answer, ErrorCode::invalid_params, "/vlans/1/bogus");
    answer = vlans(R"([{"vlan": 20, "segment": "red"}, {"vlan": 10, "segment": "green"}])");
    expect_refusal(answer, ErrorCode::not_found, "/vlans/1/segment");
}

TEST_F(ObjectMethods, NothingBecomesTheFilesAtRunTime) {
    const std::string mac = "02:00:00:00:00:01";
    expect_refusal(call("fdb.add", {{"segment", "blue"}, {"mac", mac}, {"port", "web"}, {"owner", "file"}}),
                   ErrorCode::denied, "/owner");
    expect_refusal(call("segment.set", {{"name", "blue"}, {"owner", "file"}}), ErrorCode::denied, "/owner");
}

TEST_F(Desk, TheFilesObjectsDoNotChangeAtRunTime) {
    using namespace testing_support;
    const MacAddress mac(0x020000000001);
    const StaticMac entry{.owner = "file", .segment = "blue", .mac = mac, .port = "web"};
    ASSERT_TRUE(world.engine.start(
        model_of(segment("blue", 1, "file"), testing_support::guest("web", "blue", "file"), entry), {}));
    const std::string name = mac.to_string();
    expect_refusal(call("segment.set", {{"name", "blue"}, {"mtu", 1400}}), ErrorCode::denied, "/name");
    expect_refusal(call("segment.set", {{"name", "blue"}, {"owner", "me"}}), ErrorCode::denied, "/name");
    expect_refusal(call("segment.remove", {{"name", "blue"}, {"force", true}}), ErrorCode::denied, "/name");
    expect_refusal(call("port.set", {{"name", "web"}, {"segment", nullptr}}), ErrorCode::denied, "/name");
    expect_refusal(call("port.remove", {{"name", "web"}}), ErrorCode::denied, "/name");
    expect_refusal(call("fdb.remove", {{"segment", "blue"}, {"mac", name}}), ErrorCode::denied, "/mac");
    EXPECT_EQ(call("port.remove", {{"name", "web"}}).error().message,
              "port \"web\" belongs to the configuration file: change it there and restart");
    EXPECT_EQ(world.engine.generation(), 0U);

    // What hangs on them is its owner's.
    done("port.add", Desk::guest("mine", "blue"));
    done("fdb.add", {{"segment", "blue"}, {"mac", "02:00:00:00:00:02"}, {"port", "web"}});
    done("port.set", {{"name", "mine"}, {"segment", nullptr}});
    EXPECT_EQ(done("segment.add", {{"name", "blue"}, {"vni", 1}, {"owner", "file"}})["changed"], false);
}

TEST_F(ObjectMethods, NobodyFillsTheAuditLogWithNames) {
    audited.clear();
    std::string name;
    while (name.size() < 15'000'000) name += "ä";
    const auto answer = call("port.add", guest(name, "blue"));
    expect_refusal(answer, ErrorCode::invalid_params, "/name");
    (void)call("segment.remove", {{"name", name}});
    ASSERT_EQ(audited.size(), 2U);
    for (const std::string& line : audited) {
        EXPECT_LE(line.size(), 2 * 256U + 2);
        EXPECT_NO_THROW((void)json(line).dump()) << "no character is cut in two";
    }
}

TEST_F(ObjectMethods, ChangesAndRefusalsAreAudited) {
    audited.clear();
    done("port.remove", {{"name", "web"}});
    (void)call("segment.set", {{"name", "blue"}, {"vni", 5}});
    done("segment.list", json::object());
    ASSERT_EQ(audited.size(), 2U);
    EXPECT_EQ(audited[0], "port web: ok");
    EXPECT_TRUE(audited[1].starts_with("segment blue: vni 5 can't be changed")) << audited[1];
}

}  // namespace
}  // namespace bulkhead::methods
