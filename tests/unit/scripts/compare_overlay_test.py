#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The cases of scripts/bench with tunnels: their frames, what the programs are told, and when a run is not believed."""
import pathlib
import struct
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "perf"))

from compare import bulkheadd, openvswitch, openvswitch_overlay, overlay_check, processes, testpmd, traffic, tunnelled  # noqa: E402
from compare.cases import CASES  # noqa: E402
from compare.overlay import GeneveCase, OverlayCase  # noqa: E402
from compare.ports import Replay, Silent, Uplink  # noqa: E402
from compare.program import Counts, Layout, Running  # noqa: E402

INNER = traffic.frame("a", "b", 3)
LOCAL, REMOTE = "02:70:63:61:70:01", "02:00:00:00:00:02"


def frames_of(file):
    """Of a capture file: their lengths as its headers say."""
    data, at, found = file.read_bytes(), 24, []
    while at < len(data):
        captured, length = struct.unpack_from("<II", data, at + 8)
        assert captured == length
        found.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return found


class Frames(unittest.TestCase):
    def test_the_outer_header(self):
        for tunnel, port, header in (("vxlan", 4789, "0800000000006400"), ("geneve", 6081, "0000655800006400")):
            frame = tunnelled.wrap(INNER, tunnel, 5)
            with self.subTest(tunnel):
                self.assertEqual(frame[:14].hex(":"), f"{LOCAL}:{REMOTE}:08:00")
                self.assertEqual(sum(struct.unpack(">10H", frame[14:34])) % 0xFFFF, 0)  # RFC 1071: with its checksum, all ones
                self.assertEqual(frame[14:16] + frame[22:24], b"\x45\x00\x40\x11")
                self.assertEqual(struct.unpack(">H", frame[16:18])[0], len(frame) - 14)
                self.assertEqual((frame[26:30], frame[30:34]), (bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1])))
                self.assertEqual(struct.unpack(">HHHH", frame[34:42]), (49157, port, len(frame) - 34, 0))
                self.assertEqual(frame[42:50].hex(), header)
                self.assertEqual((frame[50:], len(frame)), (INNER, tunnelled.FRAME_BYTES))

    def test_the_source_port_is_a_dynamic_one_for_every_flow(self):
        ports = {struct.unpack(">H", tunnelled.wrap(INNER, "vxlan", flow)[34:36])[0] for flow in range(20000)}
        self.assertEqual((min(ports), max(ports), len(ports)), (49152, 65535, 16384))

    def test_files_of_a_case(self):
        for way, of_pod, of_nic in (("encap", 3, 0), ("decap", 0, 3), ("mixed", 3, 3)):
            with self.subTest(way), tempfile.TemporaryDirectory() as name:
                pod, uplink = OverlayCase(way, 3, 1.0)._ports("vxlan", pathlib.Path(name))
                self.assertEqual([len(frame) for frame in frames_of(pod.file)], [60] * of_pod)
                self.assertEqual([len(frame) for frame in frames_of(uplink.nic.file)], [110] * of_nic)
                for port, senders in ((pod, of_pod), (uplink.nic, of_nic)):
                    self.assertEqual((type(port), port.frames), (Replay, 3) if senders else (Silent, 0))

    def test_who_is_silent_is_who_is_spoken_to(self):
        with tempfile.TemporaryDirectory() as name:
            pod, uplink = OverlayCase("encap", 3, 1.0)._ports("vxlan", pathlib.Path(name))
            self.assertEqual([frame[:6].hex(":") for frame in frames_of(pod.file)], list(uplink.nic.stations))
            pod, uplink = OverlayCase("decap", 3, 1.0)._ports("vxlan", pathlib.Path(name))
            self.assertEqual([frame[50:56].hex(":") for frame in frames_of(uplink.nic.file)], list(pod.stations))


class Told(unittest.TestCase):
    """Each program says in its own words what an uplink is."""

    pod, silent = Replay(pathlib.Path("/x.pcap"), 7), Silent(pathlib.Path("/y.pcap"), ("02:62:00:00:00:00",))

    def test_testpmd(self):
        self.assertEqual(testpmd._device(Uplink(self.pod, "vxlan"), 1), "net_pcap1,rx_pcap=/x.pcap,infinite_rx=1")
        self.assertEqual(testpmd._device(Uplink(self.silent, "vxlan"), 1), "net_pcap1,rx_pcap=/y.pcap")

    def test_bulkhead(self):
        said = bulkheadd._configuration([self.pod, Uplink(self.silent, "geneve")], Layout())
        self.assertEqual(said["ports"][1], {"name": "p1", "type": "ethdev", "devargs": "net_pcap1,rx_pcap=/y.pcap"})
        self.assertEqual(said["underlays"], [{"name": "u0", "port": "p1", "addresses": ["192.0.2.1/24"],
                                              "neighbors": [{"ip": "192.0.2.2", "mac": REMOTE}]}])
        self.assertEqual(said["tunnels"], [{"name": "remote", "type": "geneve", "underlay": "u0", "remote": "192.0.2.2", "segments": ["blue"]}])
        self.assertEqual((said["segments"][0]["mtu"], said["fdb"]), (1450, [{"segment": "blue", "mac": "02:62:00:00:00:00", "tunnel": "remote"}]))
        said = bulkheadd._configuration([self.silent, Uplink(self.pod, "vxlan")], Layout())
        self.assertEqual(said["fdb"], [{"segment": "blue", "mac": "02:62:00:00:00:00", "port": "p0"}])

    def test_bulkhead_without_an_uplink(self):
        said = bulkheadd._configuration([self.pod, self.pod], Layout())
        self.assertFalse({"underlays", "tunnels"} & set(said))
        self.assertNotIn("mtu", said["segments"][0])

    def test_open_vswitch(self):
        self.assertNotIn("p1", openvswitch._bridge([self.pod, Uplink(self.silent, "vxlan")]))
        control, said = mock.Mock(), []
        with mock.patch.object(processes, "wait_for"):
            openvswitch_overlay.add(Uplink(self.silent, "vxlan"), 1, lambda *words: said.append(" ".join(words)), control)
        self.assertRegex(said[0], f'add-br underlay .*hwaddr="{LOCAL}"')
        self.assertRegex(said[1], 'add-port br0 remote .*type=vxlan .*options:remote_ip="192.0.2.2" options:key=100')
        self.assertRegex(said[2], 'add-port underlay p1 .*"net_pcap1,rx_pcap=/y.pcap"')
        control.place.assert_called_once_with("remote", self.silent.stations)

    def test_mac_table_of_open_vswitch(self):
        table = " port  VLAN  MAC                Age\n    1     0  02:61:00:00:00:00    3\n   99     0  02:62:00:00:00:00  static\n   99     0  02:62:00:00:00:01    0\n"
        with mock.patch.object(processes, "run", return_value=table):
            self.assertEqual(openvswitch_overlay.Control(None, pathlib.Path("/s")).stations(), (1, 2))


def counts(came, came_bytes, went, went_bytes):
    return Counts(came, came * came_bytes, went, went * went_bytes)


class Believed(unittest.TestCase):
    SILENT = counts(0, 0, 0, 0)

    def check(self, pod, nic, way="mixed", stations=(16, 16)):
        """Whether a run is believed in which the counters grew by `pod` and `nic`."""
        running = Running(mock.Mock(), None, None, mock.Mock(side_effect=[[self.SILENT] * 2, [pod, nic]]), stations and (lambda: stations))
        with mock.patch.object(overlay_check.time, "sleep"):
            overlay_check.check(running, way != "decap", way != "encap", 16)

    def not_believed(self, reason, *arguments, **more):
        with self.assertRaisesRegex(processes.MeasurementFailed, reason):
            self.check(*arguments, **more)

    def test_every_way(self):
        self.check(counts(1000, 60, 2000, 60), counts(2000, 110, 1000, 110))
        self.check(counts(1000, 60, 1, 90), counts(0, 0, 1000, 110), "encap")
        self.check(counts(0, 0, 2000, 60), counts(2000, 110, 0, 0), "decap")

    def test_the_floor_leaves_frames_as_they_are(self):
        self.check(counts(1000, 60, 1000, 110), counts(1000, 110, 1000, 60), stations=None)
        self.not_believed("60.0 bytes went instead of 110", counts(1000, 60, 1000, 110), counts(1000, 110, 1000, 60))

    def test_frames_that_are_lost(self):
        self.not_believed("from pod to NIC: 900 frames went of 1000", counts(1000, 60, 2000, 60), counts(2000, 110, 900, 110))
        self.not_believed("from NIC to pod: 0 frames went of 2000", counts(1000, 60, 0, 60), counts(2000, 110, 1000, 110))
        self.not_believed("from NIC to pod: 0 frames went of 0", counts(0, 0, 0, 0), counts(0, 0, 0, 0), "decap")

    def test_frames_that_are_still_wrapped(self):
        self.not_believed("from NIC to pod: frames of 110.0 bytes went instead of 60", counts(0, 0, 2000, 110), counts(2000, 110, 0, 0), "decap")

    def test_frames_that_go_back(self):
        self.not_believed("1000 frames went where none should", counts(1000, 60, 1000, 60), counts(0, 0, 1000, 110), "encap")

    def test_frames_that_are_flooded(self):
        for stations, where in (((16, 15), "15 MACs are known behind the tunnel"), ((0, 16), "0 MACs are known behind the pod's port")):
            self.not_believed(where, counts(1000, 60, 0, 0), counts(0, 0, 1000, 110), "encap", stations)


class Geneve(unittest.TestCase):
    def test_is_compared_with_vxlan(self):
        played = []

        def play(self, tunnel, program, plan, folder, mood):
            played.append((tunnel, folder.name, folder.is_dir()))
            return {"cycles_per_packet": {"vxlan": 100, "geneve": 103}[tunnel], "mpps": 9}

        with mock.patch.object(OverlayCase, "_play", play), tempfile.TemporaryDirectory() as name:
            figures = GeneveCase("encap", 1024, 1.5).play(None, None, pathlib.Path(name), {})
        self.assertEqual(played, [("vxlan", "vxlan", True), ("geneve", "geneve", True)])
        self.assertEqual(figures, {"cycles_per_packet": 103, "mpps": 9, "vxlan_cycles": 100, "to_vxlan": 1.03})

    def test_cases(self):
        self.assertEqual([name for name in CASES if "vxlan" in name or "geneve" in name],
                         [f"vxlan-{way}-{flows}" for way in ("encap", "decap", "mixed") for flows in (16, 1024, 10000)]
                         + [f"geneve-{way}-1024" for way in ("encap", "decap", "mixed")])


if __name__ == "__main__":
    unittest.main()
