# SPDX-License-Identifier: Apache-2.0
"""What is measured: the cases, by name."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """Two ports, `pairs` stations on each; A(i) of the first talks with B(i) of the second."""

    name: str
    pairs: int
    warm_up_s: float  # until every MAC is learned and every flow cache is as full as it gets

    @property
    def title(self) -> str:
        return f"L2 learning, {self.pairs:,} MAC pairs"


CASES = {
    case.name: case
    for case in (
        Case("l2-16", 16, 1.0),
        Case("l2-1024", 1024, 1.5),
        Case("l2-4096", 4096, 3.0),
        Case("l2-10000", 10000, 5.0),
    )
}
