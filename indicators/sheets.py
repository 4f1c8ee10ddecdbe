"""Changes of sheets and assignments: what is measured how, of whom it is due. Every change marks its cards stale."""

from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from indicators import codes
from indicators.actions import mark_all_stale
from indicators.formulas import formula_problem
from indicators.models import Assignment, Denominator, Indicator, SheetVersion
from indicators.months import format_month
from units.actions import recorded
from units.models import Unit, UnitPeriod

# The rules of indicators.codes.Sheet.problems, by the field to mend and in the reader's language.
PROBLEM_FIELDS = {
    "The rule 'last' is for months; it cannot combine units.": (
        "over_units",
        gettext_lazy("The rule “last” is for months; it cannot combine units."),
    ),
    "A ratio of sums needs a denominator.": (
        "denominator_kind",
        gettext_lazy("A ratio of sums needs a denominator."),
    ),
    "A weighted mean needs a denominator as its weight.": (
        "denominator_kind",
        gettext_lazy("A weighted mean needs a denominator as its weight."),
    ),
    "A denominator is combined by sum, mean, last, max or none.": (
        "denominator_over_units",
        gettext_lazy("A denominator is combined by sum, mean, last, maximum or none."),
    ),
    "A population denominator is a denominator.": (
        "denominator_kind",
        gettext_lazy("A population denominator is a denominator."),
    ),
    "A denominator is either a divisor or a weight, not both.": (
        "over_time",
        gettext_lazy("A denominator is either a divisor (ratio of sums) or a weight (weighted mean), not both."),
    ),
}


# Stale cards ---------------------------------------------------------------------------------------------------------


def mark_from(*, institution, from_month, now, to_month=None):
    """Cards of this month and all later ones up to `to_month` (not included), or up to today, are computed again.

    A mark reaches to the end of its year, so a change that goes on is marked once a year.
    """
    last = min(to_month or date.max, now.date())
    mark_all_stale(institution=institution, from_month=from_month, now=now)
    for year in range(from_month.year + 1, last.year + 1):
        if to_month is None or date(year, 1, 1) < to_month:
            mark_all_stale(institution=institution, from_month=date(year, 1, 1), now=now)


# Sheets --------------------------------------------------------------------------------------------------------------


def sheet_of(version):
    """A version as the scoring engine takes it."""
    return codes.Sheet(
        sense=version.sense,
        over_units=version.over_units,
        over_time=version.over_time,
        den_over_units=version.denominator_over_units,
        den_over_time=version.denominator_over_time,
        scale=version.scale,
        tolerance=float("nan") if version.tolerance is None else version.tolerance,
        light_by=version.light_by,
        is_count=version.is_count,
        has_denominator=version.denominator_kind != Denominator.NONE,
        population_denominator=version.denominator_kind == Denominator.POPULATION,
    )


def problems(version, code, institution):
    """What makes a version impossible to compute or to read: {field: message}, empty when it is sound."""
    found = {}
    for sentence in sheet_of(version).problems():
        name, message = PROBLEM_FIELDS.get(sentence, ("sense", sentence))
        found.setdefault(name, str(message))
    if version.formula:
        if version.is_entered:
            found["is_entered"] = _("An indicator with a formula is computed; it is not entered by hand.")
        if problem := formula_problem(version.formula, code, version.valid_from):
            found["formula"] = problem
    if version.denominator_kind != Denominator.NONE and not version.denominator:
        found["denominator"] = _("Name the denominator.")
    if version.sense != codes.Sense.WITHIN and version.tolerance is not None:
        found["tolerance"] = _("A tolerance belongs to the direction “within a range”.")
    if version.tolerance is not None and version.tolerance < 0:
        found["tolerance"] = _("A tolerance is zero or more.")
    if version.baseline_value is None and not version.baseline_none_because:
        found["baseline_none_because"] = _("Give the baseline, or say why there is none.")
    if version.baseline_value is not None and version.baseline_none_because:
        found["baseline_none_because"] = _("There is a baseline: leave the reason for having none empty.")
    return found


def _checked(version, code, institution):
    if found := problems(version, code, institution):
        raise ValidationError(found)
    version.full_clean(exclude=["indicator"], validate_constraints=False)


def add_indicator(*, by, institution, code, valid_from, sheet, now, reason=""):
    """A new indicator with the first version of its sheet. `sheet` is a dict of the version's fields."""
    with recorded(by=by, reason=reason):
        indicator = Indicator(institution=institution, code=code)
        indicator.full_clean()
        indicator.save()
        version = SheetVersion(indicator=indicator, version=1, valid_from=valid_from, **sheet)
        _checked(version, code, institution)
        version.save()
        mark_from(institution=institution, from_month=valid_from, now=now)
    return indicator


def new_version(*, by, indicator, valid_from, sheet, now, reason=""):
    """From this month on the sheet says this; the version before it is closed there and stays for its own months."""
    with recorded(by=by, reason=reason):
        former = indicator.sheets.order_by("-valid_from").first()
        if former is not None and valid_from <= former.valid_from:
            raise ValidationError(
                {
                    "valid_from": _(
                        "Version %(n)s holds from %(month)s: a new one begins later. To mend it, correct it."
                    )
                    % {"n": former.version, "month": format_month(former.valid_from)}
                }
            )
        if former is not None and (former.valid_to is None or former.valid_to > valid_from):
            former.valid_to = valid_from
            former.save(update_fields=["valid_to"])
        number = former.version + 1 if former else 1
        version = SheetVersion(indicator=indicator, version=number, valid_from=valid_from, **sheet)
        _checked(version, indicator.code, indicator.institution)
        version.save()
        mark_from(institution=indicator.institution, from_month=valid_from, now=now)
    return version


def correct_version(*, by, version, sheet, now, reason):
    """Mend a version that was written wrongly, for all its months. The reason stays in the history."""
    _must_say_why(reason)
    with recorded(by=by, reason=reason):
        for name, value in sheet.items():
            setattr(version, name, value)
        _checked(version, version.indicator.code, version.indicator.institution)
        version.save()
        mark_from(
            institution=version.indicator.institution, from_month=version.valid_from, to_month=version.valid_to, now=now
        )
    return version


def end_sheet(*, by, indicator, valid_to, now, reason):
    """From this month the indicator is no longer measured: its last version is closed, and what was assigned ends."""
    _must_say_why(reason)
    with recorded(by=by, reason=reason):
        last = indicator.sheets.order_by("-valid_from").first()
        if last is None or valid_to <= last.valid_from:
            raise ValidationError({"valid_to": _("The last version of the sheet would end before it begins.")})
        last.valid_to = valid_to
        last.save(update_fields=["valid_to"])
        _end(indicator.assignments.filter(from_month__lt=valid_to).exclude(to_month__lte=valid_to), valid_to)
        indicator.assignments.filter(from_month__gte=valid_to).delete()
        mark_from(institution=indicator.institution, from_month=valid_to, now=now)
    return last


def _must_say_why(reason):
    if not reason:
        raise ValidationError(_("Say why: the reason stays in the history."))


# Assignments ---------------------------------------------------------------------------------------------------------


@dataclass
class Assigned:
    """Units that are newly due, and those that were already for all those months."""

    created: list = field(default_factory=list)
    already: list = field(default_factory=list)


def assign(*, by, indicator, units, from_month, to_month=None, now, reason=""):
    """The indicator is due of these units from one month up to, not including, another. Returns Assigned."""
    _check_span(from_month, to_month)
    units = list(units)
    end = to_month or date.max
    if not units:
        raise ValidationError({"units": _("Choose at least one unit.")})
    _check_standing(units, from_month, end)
    others = [unit.code for unit in units if unit.institution_id != indicator.institution_id]
    if others:
        raise ValidationError(
            {"units": _("%(codes)s: of another institution than the indicator.") % {"codes": _some(others)}}
        )
    done = Assigned()
    held = _held(indicator, units, from_month, end)
    partly = [u.code for u in units if u.pk in held and not _covers(held[u.pk], from_month, end)]
    if partly:
        raise ValidationError(
            {"from_month": _("%(codes)s: assigned in a part of these months already.") % {"codes": _some(partly)}}
        )
    for unit in units:
        (done.already if unit.pk in held else done.created).append(unit)
    with recorded(by=by, reason=reason):
        Assignment.objects.bulk_create(
            Assignment(indicator=indicator, unit=unit, from_month=from_month, to_month=to_month)
            for unit in done.created
        )
        if done.created:
            mark_from(institution=indicator.institution, from_month=from_month, to_month=to_month, now=now)
    return done


def end_assignments(*, by, indicator, units, to_month, now, reason):
    """From this month the indicator is no longer due of these units. Figures of later months are kept, uncounted."""
    _must_say_why(reason)
    units = list(units)
    with recorded(by=by, reason=reason):
        held = indicator.assignments.filter(unit__in=units).exclude(to_month__lte=to_month)
        later = held.filter(from_month__gte=to_month)
        ended = list(held.filter(from_month__lt=to_month).select_related("unit"))
        removed, _details = later.delete()
        _end(held, to_month)
        if not ended and not removed:
            raise ValidationError({"units": _("The indicator is due of none of these units in those months.")})
        mark_from(institution=indicator.institution, from_month=to_month, now=now)
    return ended


def _end(assignments, to_month):
    assignments.update(to_month=to_month)


def _check_span(from_month, to_month):
    if from_month.day != 1 or (to_month and to_month.day != 1):
        raise ValidationError({"from_month": _("A month is given as its first day.")})
    if to_month and to_month <= from_month:
        raise ValidationError({"to_month": _("The last month lies before the first.")})


def _check_standing(units, from_month, end):
    """Units must stand in the first month: what is due before a unit opens can never be reported."""
    spans = UnitPeriod.objects.filter(unit__in=units, from_month__lte=from_month).exclude(to_month__lte=from_month)
    standing = set(spans.values_list("unit_id", flat=True))
    missing = [unit.code for unit in units if unit.pk not in standing]
    if missing:
        raise ValidationError(
            {
                "from_month": _("%(codes)s: closed, or not yet open, in %(month)s.")
                % {"codes": _some(missing), "month": format_month(from_month)}
            }
        )


def _held(indicator, units, start, end):
    held = {}
    rows = indicator.assignments.filter(unit__in=units, from_month__lt=end).exclude(to_month__lte=start)
    for unit, begins, ends in rows.order_by("from_month").values_list("unit_id", "from_month", "to_month"):
        held.setdefault(unit, []).append((begins, ends or date.max))
    return held


def _covers(spans, start, end):
    reached = start
    for begins, ends in spans:
        if begins > reached:
            return False
        reached = max(reached, ends)
    return reached >= end


def _some(names):
    """Up to five names, and how many more."""
    shown = ", ".join(names[:5])
    return _("%(names)s and %(n)s more") % {"names": shown, "n": len(names) - 5} if len(names) > 5 else shown


def units_at(unit, level, month):
    """Units of the same institution below a unit (itself included) that stand in the month and cover the level."""
    found = Unit.objects.below(unit).filter(institution=unit.institution).in_month(month)
    return found.filter(territory__level=level).distinct().order_by("code")


def reporting_units(unit, month):
    """Units of the same institution below a unit that have none below them in the month: those that report."""
    below = UnitPeriod.objects.filter(institution=unit.institution, from_month__lte=month).exclude(to_month__lte=month)
    parents = below.exclude(parent=None).values("parent_id")
    found = Unit.objects.below(unit).filter(institution=unit.institution).in_month(month)
    return found.exclude(pk__in=parents).distinct().order_by("code")
