# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lib.daemon import BUILD, running  # noqa: E402
from lib.leftovers import sweep  # noqa: E402


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root: network namespaces and hugepages"))


@pytest.fixture(scope="session", autouse=True)
def built():
    sweep()
    assert (BUILD / "bulkheadd").exists(), f"{BUILD}/bulkheadd is not built"


@pytest.fixture
def switch():
    """A switch with segments blue and red and nothing else; its books are checked at the end."""
    segments = [{"name": "blue", "vni": 100}, {"name": "red", "vni": 200}]
    with running() as daemon:
        with daemon.control() as control:
            for segment in segments:
                control.call("segment.add", **segment)
        yield daemon


@pytest.fixture
def control(switch):
    with switch.control() as connection:
        yield connection
