# SPDX-License-Identifier: Apache-2.0
"""The demonstration behind scripts/demo: who reaches whom, as a table."""
import argparse
import contextlib
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "guest")]

from demo_one import show_one_node  # noqa: E402
from demo_policy import show_policy  # noqa: E402
from demo_two import show_two_nodes  # noqa: E402
from lib.daemon import BUILD  # noqa: E402
from lib.leftovers import sweep  # noqa: E402


def look_around(daemons, pods):
    sockets = "\n".join(f"  export BULKHEAD_SOCKET={daemon.socket}" for daemon in daemons)
    names = "\n".join(f"  ip netns exec {namespace.name} ping 10.1.0.2" for namespace in pods)
    one = "" if len(daemons) == 1 else "  (one of these, a switch each)"
    print(f"\nLeft running. Look around from another shell, root's (the sockets and the pods are):\n{sockets}{one}\n"
          f"  {BUILD}/bulkheadctl port list\n  {BUILD}/bulkheadctl fdb list\n  {BUILD}/bulkheadctl top\n{names}\nEnter ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        sys.stdin.readline()


def show(options, stack):
    """The whole demonstration; the number of rows that are wrong."""
    parts = []
    if options.nodes != 2:
        parts.append(show_one_node(stack, not options.no_guest))
        parts.append(show_policy(stack, *parts[0][0]))
    if options.nodes != 1:
        parts.append(show_two_nodes(stack))
    if options.keep:
        look_around([daemon for daemons, _, _ in parts for daemon in daemons], [pod for _, pods, _ in parts for pod in pods.values()])
    return sum(failed for _, _, failed in parts)


def main():
    parser = argparse.ArgumentParser(prog="scripts/demo")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-guest", action="store_true")
    parser.add_argument("--nodes", type=int, choices=(1, 2))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sweep()
    try:
        with contextlib.ExitStack() as stack:
            return 1 if show(options, stack) else 0
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything was taken away")
        return 130


sys.exit(main())
