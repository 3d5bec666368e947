"""What a contract says about the figures: classes of the codes, targets, the least coverage.

Source: DESIGN §4. Fractions are exact, so that a target is compared in integers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from kpi.status import DEFAULT_CLASSES, SlotClass, Status


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the reading that the rates follow.

    `projects` are the codes of the projects assessed as the fleet; None means all.
    """

    name: str
    version: int
    intact_target: Fraction = Fraction(98, 100)
    suspended_target: Fraction = Fraction(3, 100)
    min_coverage: Fraction = Fraction(95, 100)
    classes: Mapping[Status, SlotClass] = field(default_factory=lambda: DEFAULT_CLASSES)
    projects: frozenset[str] | None = None

    @property
    def label(self) -> str:
        """How figures name the policy they follow."""
        return f"{self.name}-{self.version}"

    def class_table(self) -> npt.NDArray[np.uint8]:
        """Class by status code, 256 entries; a code that the policy does not name is unknown."""
        table = np.full(256, SlotClass.UNKNOWN, dtype=np.uint8)
        for status, slot_class in self.classes.items():
            table[status] = slot_class
        return table


DEFAULT_POLICY = Policy("default", 1)
