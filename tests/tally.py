# SPDX-License-Identifier: Apache-2.0
"""Adds up the JUnit files of GoogleTest and pytest under a folder; the last line is what CI reads."""
import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None or case.get("result") == "skipped" or case.get("status") == "notrun":
        return "skipped"
    return "passed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--broken", type=int, default=0, help="1: a test program ended badly, whatever it counted")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for report in sorted(arguments.folder.rglob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            result = outcome(case)
            counts[result] += 1
            if result == "failed":
                print(f"failed: {case.get('classname')}.{case.get('name')}")
    if arguments.broken and counts["failed"] == 0:
        print("failed: a step above ended badly without naming a test")
        counts["failed"] = 1
    print(", ".join(f"{number} {name}" for name, number in counts.items()))
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


sys.exit(main())
