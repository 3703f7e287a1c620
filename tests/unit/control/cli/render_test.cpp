// SPDX-License-Identifier: Apache-2.0
#include "control/cli/render.h"

#include <gtest/gtest.h>

namespace bulkhead::cli {
namespace {

using nlohmann::json;

std::string shown(std::string_view method, const char* result, const json& params = json::object()) {
    return render(method, params, json::parse(result), {});
}

TEST(Render, Segments) {
    EXPECT_EQ(shown("segment.list", R"({"cursor": null, "items": [
                {"name": "blue", "vni": 100, "mtu": 1450, "flood": "all", "tenant": "acme", "state": {"ports": 2, "macs": 17}},
                {"name": "r", "vni": 7, "mtu": 9000, "flood": "known", "tenant": "", "state": {"ports": ["a"], "macs": 0}}]})"),
              "NAME  VNI   MTU  FLOOD  PORTS  MACS  TENANT\n"
              "blue  100  1450  all        2    17  acme\n"
              "r       7  9000  known      1     0  -\n");
}

TEST(Render, Ports) {
    EXPECT_EQ(shown("port.list", R"({"cursor": null, "items": [
                {"name": "web-0", "type": "tap", "segment": "blue",
                 "state": {"status": "up", "link": true, "guest_connected": false, "rx_packets": 5, "tx_packets": 12, "drops": 1}},
                {"name": "fw-0", "type": "vhost-user", "vlans": [{"vlan": 10, "segment": "blue"}, {"vlan": 20, "segment": "red"}],
                 "state": {"status": "down", "link": false, "guest_connected": true, "rx_packets": 0, "tx_packets": 0, "drops": 0}},
                {"name": "gone", "type": "ethdev", "state": {"status": "waiting"}}]})"),
              "NAME   TYPE        SEGMENT          LINK     GUEST  RX PACKETS  TX PACKETS  DROPS\n"
              "web-0  tap         blue             up       -               5          12      1\n"
              "fw-0   vhost-user  10:blue, 20:red  down     yes             0           0      0\n"
              "gone   ethdev      -                waiting  -               -           -      -\n");
}

TEST(Render, FdbAndDrops) {
    EXPECT_EQ(shown("fdb.list", R"({"cursor": null, "items": [
                {"segment": "blue", "mac": "02:00:00:00:00:0a", "port": "web-0", "tunnel": null, "vlan": null, "static": false,
                 "age_s": 12}]})"),
              "SEGMENT  MAC                PORT   TUNNEL  VLAN  KIND     AGE S\n"
              "blue     02:00:00:00:00:0a  web-0  -       -     learned     12\n");
    EXPECT_EQ(shown("drop.list", R"({"cursor": null, "items": [
                {"port": "web-0", "tunnel": null, "segment": null, "reason": "link_down", "help": "the far side is down", "packets": 3}]})"),
              "PORT   TUNNEL  SEGMENT  REASON     PACKETS  MEANING\n"
              "web-0  -       -        link_down        3  the far side is down\n");
}

TEST(Render, Connections) {
    EXPECT_EQ(
        shown("connection.list", R"({"cursor": "8", "open": 2, "capacity": 9, "items": [
                {"segment": "blue", "protocol": "tcp", "source": "10.1.0.2", "destination": "10.1.0.3", "source_port": 4000,
                 "destination_port": 443, "icmp_id": null, "icmp_type": null, "state": "established", "idle_s": 3,
                 "expires_in_s": 7437, "port": "web-0", "tunnel": null, "rule": "web"},
                {"segment": "blue", "protocol": "icmpv6", "source": "fd00::2", "destination": "fd00::3", "source_port": null,
                 "destination_port": null, "icmp_id": 7, "icmp_type": 128, "state": "fresh", "idle_s": 0,
                 "expires_in_s": 30, "port": null, "tunnel": "edge-2", "rule": null}]})"),
        "SEGMENT  PROTOCOL              SOURCE         DESTINATION   STATE        IDLE S  ENDS IN S  PORT   TUNNEL  "
        "RULE\n"
        "blue     tcp                   10.1.0.2:4000  10.1.0.3:443  established       3       7437  web-0  -       "
        "web\n"
        "blue     icmpv6 type 128 id 7  fd00::2        fd00::3       fresh             0         30  -      edge-2  -\n"
        "(more: --cursor 8)\n");
}

TEST(Render, TheFabric) {
    EXPECT_EQ(shown("underlay.list", R"({"cursor": null, "items": [
                {"name": "u0", "port": "uplink0", "addresses": ["192.0.2.1/24", "2001:db8::1/64"], "vlan": 30, "mtu": 1500,
                 "state": {"status": "up", "addresses": [{"address": "192.0.2.1/24", "duplicate": true},
                                                         {"address": "2001:db8::1/64", "duplicate": false}]}}]})"),
              "NAME  PORT     ADDRESSES                                 VLAN   MTU  STATUS\n"
              "u0    uplink0  192.0.2.1/24 (duplicate), 2001:db8::1/64    30  1500  up\n");
    EXPECT_EQ(
        shown("tunnel.list", R"({"cursor": null, "items": [
                {"name": "edge-2", "type": "vxlan", "underlay": "u0", "remote": "192.0.2.2", "segments": ["blue", "red"],
                 "state": {"status": "active", "next_hop": "192.0.2.2", "resolved": true, "alive": true, "rx_packets": 5,
                           "tx_packets": 7, "drops": 0}}]})"),
        "NAME    TYPE   UNDERLAY  REMOTE     SEGMENTS   STATUS  NEXT HOP   RESOLVED  ALIVE  RX PACKETS  TX PACKETS  "
        "DROPS\n"
        "edge-2  vxlan  u0        192.0.2.2  blue, red  active  192.0.2.2  yes       yes             5           7  "
        "    0\n");
    EXPECT_EQ(shown("underlay.neighbors", R"({"cursor": null, "items": [
                {"underlay": "u0", "ip": "192.0.2.2", "mac": null, "state": "probing", "age_s": 3, "duplicate": false}]})"),
              "UNDERLAY  IP         MAC  STATE    AGE S  DUPLICATE\n"
              "u0        192.0.2.2  -    probing      3  no\n");
}

TEST(Render, Mirrors) {
    EXPECT_EQ(shown("mirror.list", R"({"cursor": null, "items": [
                {"name": "ids", "segment": "blue", "to": "ids-0", "direction": "both",
                 "state": {"status": "active", "packets": 12, "bytes": 720, "drops": {"busy": 0, "mirror_full": 3}}},
                {"name": "rule", "segment": "blue", "policy": "web", "to": "edge-2", "vni": 9001, "direction": "both",
                 "snaplen": 128, "state": {"status": "waiting", "packets": 0, "bytes": 0, "drops": {}}}]})"),
              "NAME  SOURCE         DIRECTION  TO           SNAPLEN  STATUS   PACKETS  BYTES  DROPS\n"
              "ids   segment blue   both       ids-0              -  active        12    720  3 (mirror_full 3)\n"
              "rule  rule blue/web  both       edge-2:9001      128  waiting        0      0  0\n");
}

TEST(Render, APageSaysThatThereIsMore) {
    EXPECT_EQ(shown("fdb.list", R"({"cursor": "abc", "items": []})"),
              "SEGMENT  MAC  PORT  TUNNEL  VLAN  KIND  AGE S\n(more: --cursor abc)\n");
}

TEST(Render, ListsOfUnknownShape) {
    EXPECT_EQ(
        shown("capture.list", R"({"cursor": null, "items": [{"name": "ids", "snap_len": 4789, "segments": ["a"]}]})"),
        "NAME  SNAP LEN\nids       4789\n");
    EXPECT_EQ(shown("capture.list", R"({"cursor": null, "items": []})"), "none\n");
}

TEST(Render, ObjectsAsKeysAndValues) {
    EXPECT_EQ(shown("port.get", R"({"macs": ["a", "b"], "name": "web-0", "mtu": 1450, "state":
                {"link": true, "reason": null, "queues": [{"queue": 0, "worker": 1}, {"queue": 1, "worker": 0}]}})"),
              "name: web-0\n"
              "macs: a, b\n"
              "mtu: 1450\n"
              "state:\n"
              "  link: yes\n"
              "  queues:\n"
              "    - queue: 0\n"
              "      worker: 1\n"
              "    - queue: 1\n"
              "      worker: 0\n"
              "  reason: -\n");
}

TEST(Render, Changes) {
    EXPECT_EQ(shown("port.add", R"({"generation": 5, "changed": true, "object": {}})", {{"name", "web-0"}}),
              "port web-0 added, generation 5\n");
    EXPECT_EQ(shown("port.set", R"({"generation": 5, "changed": false, "object": {}})", {{"name", "web-0"}}),
              "port web-0 is so already, generation 5\n");
    EXPECT_EQ(shown("fdb.remove", R"({"generation": 6})", {{"segment", "blue"}, {"mac", "02:00:00:00:00:0a"}}),
              "fdb 02:00:00:00:00:0a removed, generation 6\n");
    EXPECT_EQ(shown("config.apply", R"({"generation": 7, "dry_run": true, "changes":
                [{"op": "add", "kind": "segment", "name": "blue"}, {"op": "remove", "kind": "port", "name": "x"}]})"),
              "add segment blue\nremove port x\ngeneration 7 (dry run: nothing was changed)\n");
    EXPECT_EQ(shown("config.apply", R"({"generation": 7, "dry_run": false, "changes": []})"),
              "no change\ngeneration 7\n");
    EXPECT_EQ(shown("fdb.flush", R"({"removed": 3})"), "removed: 3\n");
    EXPECT_EQ(shown("system.shutdown", "{}"), "done\n");
}

TEST(Render, Statistics) {
    EXPECT_EQ(shown("stats.get",
                    R"({"ports": [{"name": "web-0", "rx_packets": 5, "rx_bytes": 300, "tx_packets": 4, "tx_bytes": 240,
                "drops": {"link_down": 2, "no_buffer": 10, "isolated": 0}}], "segments": [], "workers": [{"worker": 0, "received": 5,
                "originated": 0, "copies": 1, "transmitted": 4, "consumed": 0, "held": 0, "dropped": 2, "drops": {"link_down": 2}}]})"),
              "PORT   RX PACKETS  RX BYTES  TX PACKETS  TX BYTES  DROPS\n"
              "web-0           5       300           4       240  12 (no_buffer 10, link_down 2)\n"
              "\n"
              "WORKER  RECEIVED  ORIGINATED  COPIES  TRANSMITTED  CONSUMED  HELD  DROPS\n"
              "     0         5           0       1            4         0     0  2 (link_down 2)\n");
}

TEST(Render, AVerificationThatFindsNothing) {
    EXPECT_EQ(shown("segment.verify", R"({"cursor": null, "complete": true, "pairs": [
                {"from": "web-0", "to": "db-0", "reachable": true, "intended": true, "differences": [], "complete": true,
                 "allowed": [{"rule": "sql", "protocols": ["tcp"], "dst_ports": ["5432", "6000-6010"]},
                             {"rule": null, "ethertypes_except": ["ipv4"]}]},
                {"from": "db-0", "to": "web-0", "reachable": false, "intended": false, "differences": [], "allowed": []}]})",
                    {{"name", "blue"}}),
              "FROM   TO     CAN REACH  WITH WHAT                                          INTENDED\n"
              "web-0  db-0   yes        tcp 5432, 6000-6010 (sql); all but ipv4 (default)  yes\n"
              "db-0   web-0  no         -                                                  no\n"
              "\neverything is installed as it was meant\n");
}

TEST(Render, AVerificationIsLoudAboutWhatIsNotAsItWasMeant) {
    EXPECT_EQ(shown("segment.verify", R"({"cursor": null, "complete": false, "tunnels": ["edge-2"],
                "attachments": [{"attachment": "x", "differences": ["its port is not open"]}],
                "waiting": [{"kind": "policy", "name": "sql", "reason": "no group db"}], "segment_differences": [],
                "pairs": [{"from": "a", "to": "x", "reachable": false, "intended": true, "allowed": [], "complete": false,
                           "why_incomplete": "too many",
                           "differences": [{"traffic": [{"protocols": ["tcp"], "opens": false}],
                                            "installed": {"action": "deny", "ground": "none", "rule": null},
                                            "intended": {"action": "redirect", "ground": "rule", "rule": "sql", "to_port": "fw"},
                                            "fields": {"protocol": "tcp"}}]}]})",
                    {{"name", "blue"}}),
              "FROM  TO  CAN REACH  WITH WHAT  INTENDED\n"
              "a     x   no         -          yes, but not so\n"
              "\n3 DIFFERENCES BETWEEN WHAT IS INSTALLED AND WHAT WAS MEANT:\n"
              "  x: its port is not open\n"
              "  policy sql waits: no group db\n"
              "  a -> x: tcp that opens no connection: installed: deny by default; meant: redirect to fw by rule sql\n"
              "    bulkheadctl policy explain blue --fields '{\"protocol\":\"tcp\"}'\n"
              "NOT COMPLETE: a -> x: too many\n"
              "not covered: what is behind tunnel edge-2\n");
}

TEST(Render, Explanations) {
    EXPECT_EQ(
        shown("packet.explain", R"({"verdict": "drop", "reason": "policy_default", "segment": "blue", "egress": [],
                "receivers": [{"port": "x", "tunnel": null, "vlan": 7, "reason": "policy_default", "rule": null, "ground": "none"},
                              {"port": null, "tunnel": "n2", "vlan": null, "reason": null, "rule": "web", "ground": "rule"}],
                "stages": [{"stage": "parse", "decision": "read", "reason": null},
                           {"stage": "apply_policy", "decision": "no rule decides", "reason": "policy_default"}]})"),
        "STAGE         DECISION         DROPPED\n"
        "parse         read             -\n"
        "apply_policy  no rule decides  policy_default\n"
        "\nRECEIVER   DROPPED         POLICY\n"
        "x:7        policy_default  default\n"
        "tunnel:n2  -               rule web\n"
        "\ndrop: policy_default\n");
    EXPECT_EQ(shown("policy.explain",
                    R"({"action": "allow", "rule": "sql", "ground": "rule", "from_group": "web", "to_group": null,
                "agrees": true, "steps": [{"rule": "off", "matches": false, "why": "dst_ports: 80 is not among them"},
                                          {"rule": "sql", "matches": true, "why": null}]})"),
              "RULE  MATCHES  WHY IT DOES NOT DECIDE\n"
              "off   no       dst_ports: 80 is not among them\n"
              "sql   yes      -\n"
              "\nallow: rule sql, from group web to group -\n");
}

TEST(Render, DocumentsStayJson) {
    const json config = {{"version", 1}, {"segments", json::array()}};
    EXPECT_EQ(json::parse(render("config.get", json::object(), config, {})), config);
}

}  // namespace
}  // namespace bulkhead::cli
