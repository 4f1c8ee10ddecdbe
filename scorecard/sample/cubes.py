"""One indicator's monthly figures over the units that report it: the form in which figures and targets are made."""

from dataclasses import dataclass, replace

import numpy as np

from scorecard.sample.institutions import positions, unit_code
from scorecard.sample.sheets import POSITION, SHEETS, SampleSheet
from scorecard.sample.territories import country


@dataclass(frozen=True)
class Cube:
    """`numerator` and `denominator` (M, U), the latter None for counts; `units` (U,) positions in `units()`.

    Complete as made: `blank` (M, U) marks figures that were never sent, `not_applicable` those declared so.
    """

    code: str
    units: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray | None = None
    blank: np.ndarray | None = None
    not_applicable: np.ndarray | None = None

    @property
    def sheet(self) -> SampleSheet:
        return SHEETS[POSITION[self.code]]

    def with_marks(self, blank, not_applicable):
        return replace(self, blank=blank, not_applicable=not_applicable)


def units_at(institution, places) -> np.ndarray:
    """Positions in `units()` of an institution's units that cover places (positions in the country)."""
    here, at = country(), positions()
    return np.array([at[unit_code(institution, here.places[place].code)] for place in places], np.int32)
