"""What the address of a page of reasons asks for: the month or the year to date, against what, by what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.utils.translation import gettext as _

from incidents import conditions
from incidents.models import Variable
from indicators.models import Sensitivity
from scorecard.queries import shifted

TARGET, LAST_YEAR = "target", "last-year"
UNIT, CATEGORY, HOUR, VARIABLE = "unit", "category", "hour", "variable"
MONTH, YEAR = "month", "year"


@dataclass(frozen=True)
class Asked:
    """span: the month alone or the year to date; field: the variable's ("victim.sex") where `by` is a variable."""

    month: date
    span: str
    against: str = TARGET
    by: str = UNIT
    field: str = ""

    @property
    def start(self) -> date:
        return self.month if self.span == MONTH else self.month.replace(month=1)

    @property
    def end(self) -> date:
        """The day after the last."""
        return shifted(self.month, 1)

    def query(self, **changes) -> str:
        one = replace(self, **changes)
        by = f"variable:{one.field}" if one.by == VARIABLE else one.by
        return urlencode({"month": f"{one.month:%Y-%m}", "against": one.against, "by": by, "span": one.span})


def read_address(given, month: date, span: str) -> Asked:
    """What request.GET asks for, of this month; span is the one that drives the light. BadRequest for nonsense."""
    span = _one_of(given, "span", (MONTH, YEAR), span)
    against = _one_of(given, "against", (TARGET, LAST_YEAR), TARGET)
    by = given.get("by") or UNIT
    if by.startswith("variable:"):
        return Asked(month, span, against, VARIABLE, _field(by.removeprefix("variable:")))
    if by not in (UNIT, CATEGORY, HOUR):
        raise BadRequest(_("A gap is told by unit, category, hour, or variable:NAME."))
    return Asked(month, span, against, by)


def _one_of(given, name, allowed, usual):
    value = given.get(name) or usual
    if value not in allowed:
        raise BadRequest(_("%(name)s is one of %(allowed)s.") % {"name": name, "allowed": ", ".join(allowed)})
    return value


def _field(field: str) -> str:
    variable = conditions.variables_by_field().get(field)
    if variable is None or variable.sensitivity == Sensitivity.RESERVED:
        raise BadRequest(_("There is no such variable."))
    return field


def variable_of(field: str) -> Variable:
    return conditions.variables_by_field()[field]
