"""Event rules come in here: checked against the sheet that takes their figures, their months marked for counting."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents import conditions, measures
from incidents.counting import Standing, figures, fits
from incidents.models import TIMED, CountMark, EventRule, Incident, Measure, Stage
from indicators.models import Frequency, SheetVersion
from indicators.months import add_months, month_range
from indicators.stale import ask_for_drain
from units.actions import recorded


def check(rule):
    """Refuse a rule that cannot be counted, or whose figures its indicator's sheet does not take. ValidationError."""
    rule.full_clean(validate_unique=False)
    _check_measure(rule)
    for name in ("filter", "part"):
        try:
            conditions.check(getattr(rule, name))
        except ValidationError as error:
            raise ValidationError({name: error.messages}) from None
    _check_sheet(rule)


def _check_measure(rule):
    if (rule.measure == Measure.SHARE) != bool(rule.part):
        raise ValidationError({"part": _("A share, and nothing else, says which part of all it counts.")})
    order = list(Stage.values)
    if rule.measure in TIMED:
        if not rule.from_stage or not rule.to_stage:
            raise ValidationError({"from_stage": _("Say from which stage to which the minutes run.")})
        if order.index(rule.from_stage) >= order.index(rule.to_stage):
            raise ValidationError({"to_stage": _("The minutes run to a later stage than they begin at.")})
    elif rule.from_stage or rule.to_stage:
        raise ValidationError({"from_stage": _("Only minutes between stages have stages.")})


def _check_sheet(rule):
    until = rule.to_month or date.max
    sheets = SheetVersion.objects.filter(indicator=rule.indicator, valid_from__lt=until)
    held = [sheet for sheet in sheets if sheet.valid_to is None or sheet.valid_to > rule.from_month]
    if not any(sheet.frequency == Frequency.MONTHLY and not sheet.formula for sheet in held):
        raise ValidationError({"indicator": _("It has no monthly sheet without a formula in these months.")})
    for sheet in held:
        if rule.measure in TIMED and (sheet.over_units or sheet.over_time):
            raise ValidationError(
                {
                    "measure": _(
                        "A median or percentile is not made of others: the rules of the sheet over units and over time "
                        "must be none (version %(version)d)."
                    )
                    % {"version": sheet.version}
                }
            )
        if not fits(rule, sheet):
            raise ValidationError({"measure": _misfit(rule) % {"version": sheet.version}})


def _misfit(rule):
    if rule.measure == Measure.SHARE:
        return _("A share brings its denominator: that of the sheet must be reported (version %(version)d).")
    return _("This brings no denominator: that of the sheet cannot be a reported one (version %(version)d).")


def add(*, by, rule, now, reason=""):
    """A rule begins to count: the months in which there are events of its categories are counted by a worker."""
    check(rule)
    with transaction.atomic(), recorded(by=by, reason=reason):
        rule.save(force_insert=True)
        _mark(rule, rule.to_month, now)
    return rule


def end(*, by, rule, to_month, now, reason=""):
    """From this month the rule counts no longer; what it counted before stays."""
    if to_month <= rule.from_month:
        raise ValidationError({"to_month": _("A rule ends after the month that it begins with.")})
    if rule.to_month and to_month > rule.to_month:
        raise ValidationError({"to_month": _("The rule ends before that already.")})
    with transaction.atomic(), recorded(by=by, reason=reason):
        rule.to_month = to_month
        rule.save(update_fields=["to_month"])
    return rule


def _mark(rule, until, now):
    """Marks of the months from the first that has an event that the rule may count."""
    first = first_event(rule)
    this_month = timezone.localtime(now).date().replace(day=1)
    last = min(add_months(this_month, 1), until or date.max)
    if first is None or first >= last:
        return
    CountMark.objects.bulk_create(
        CountMark(month=month, category_id=rule.category_id, marked_at=now)
        for month in month_range(max(first, rule.from_month), add_months(last, -1))
    )
    transaction.on_commit(ask_for_drain)


def first_event(rule):
    """The month of the first event of the rule's categories and source; None for none."""
    wanted = Q(category__in=Standing().categories(rule), occurred_on__gte=rule.from_month)
    if rule.source_id:
        wanted &= Q(source=rule.source_id)
    first = Incident.objects.filter(wanted).aggregate(first=Min("occurred_on"))["first"]
    return first and first.replace(day=1)


def preview(rule, *, now, months=3):
    """What a rule would say of the last months: [(month, units, numerator, denominator, events without a unit)].

    Of a median or percentile numerator is the number of units that would have a figure, denominator None.
    """
    standing = Standing()
    this_month = timezone.localtime(now).date().replace(day=1)
    found = []
    for month in month_range(add_months(this_month, 1 - months), this_month):
        lost = {rule.indicator.code: 0}
        said = figures(rule, standing, measures.Asked(), month, add_months(month, 1), lost)
        for due, numerator, denominator in said.values():
            total = float((numerator == numerator).sum() if rule.measure in TIMED else numerator.sum())
            under = float(denominator.sum()) if rule.measure == Measure.SHARE else None
            found.append((month, len(due), total, under, lost[rule.indicator.code]))
    return found


def of_institutions(institutions):
    """Rules of indicators of these institutions, the newest of each first."""
    return (
        EventRule.objects.filter(indicator__institution__in=institutions)
        .select_related("indicator", "category", "source")
        .order_by("indicator__code", "-from_month")
    )
