# SPDX-License-Identifier: Apache-2.0
"""Hugepages for the time of the measurement."""
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import MeasurementFailed

_PAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
_PAGE_MIB = 2


@contextmanager
def reserved(mib: int) -> Iterator[None]:
    """Sees to it that so much is free, and gives back what it had to add."""
    total = _read("nr_hugepages")
    lacking = mib // _PAGE_MIB - _read("free_hugepages")
    try:
        if lacking > 0:
            _write(total + lacking)
            if (free := _read("free_hugepages") * _PAGE_MIB) < mib:
                raise MeasurementFailed(f"needs {mib} MiB of free hugepages and could get only {free}")
        yield
    finally:
        if lacking > 0:
            _write(total)


def _read(name: str) -> int:
    return int((_PAGES / name).read_text())


def _write(pages: int) -> None:
    (_PAGES / "nr_hugepages").write_text(str(pages))
