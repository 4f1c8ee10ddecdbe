"""What is promised and what was measured. An assignment alone says what is due of whom."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from indicators import codes
from indicators.querysets import FigureQuerySet, IndicatorQuerySet, SheetQuerySet
from units.history import tracked
from units.models import Institution, LocalName, Unit

INDICATOR_CODE = RegexValidator(
    r"^[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*$", _("Use capital letters and digits, parts joined by dots, as in PN.HOMICIDES.")
)


def _int_range(field):
    return Func(F(field), F(field), Value("[]"), function="int4range")


def _dates(start, end):
    return Func(F(start), F(end), function="daterange", output_field=DateRangeField())


@tracked()
class Indicator(models.Model):
    """One measurement that an institution answers for. All that can change about it is in its sheet's versions."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="indicators")
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[INDICATOR_CODE])

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")

    def __str__(self):
        return self.code


class Hierarchy(models.TextChoices):
    IMPACT = "impact", _("impact")
    RESULT = "result", _("result")
    PROCESS = "process", _("process")
    INPUT = "input", _("input")


class Accumulation(models.TextChoices):
    NONE = "", _("not said")
    ACCUMULATED = "accumulated", _("accumulated: the years add up to the plan's target")
    CAPACITY = "capacity", _("capacity or flow: the last year is the plan's target")
    STOCK = "stock", _("stock: every year is the plan's target")
    REDUCTION = "reduction", _("reduction: the last year is the plan's target, lower every year")


class Behaviour(models.TextChoices):
    CONTINUOUS = "continuous", _("continuous")
    DISCRETE = "discrete", _("discrete")


class Sensitivity(models.TextChoices):
    PUBLIC = "public", _("public")
    INTERNAL = "internal", _("internal")
    RESERVED = "reserved", _("reserved")


class Sense(models.IntegerChoices):
    HIGHER = codes.Sense.HIGHER, _("higher is better")
    LOWER = codes.Sense.LOWER, _("lower is better")
    LOWER_INVERSE = codes.Sense.LOWER_INVERSE, _("lower is better, target over actual")
    IMPROVE_HIGHER = codes.Sense.IMPROVE_HIGHER, _("improvement from the baseline, upwards")
    IMPROVE_LOWER = codes.Sense.IMPROVE_LOWER, _("improvement from the baseline, downwards")
    WITHIN = codes.Sense.WITHIN, _("within a range")
    MILESTONE = codes.Sense.MILESTONE, _("milestone")


class Rule(models.IntegerChoices):
    NONE = codes.Rule.NONE, _("none")
    SUM = codes.Rule.SUM, _("sum")
    MEAN = codes.Rule.MEAN, _("mean")
    WEIGHTED_MEAN = codes.Rule.WEIGHTED_MEAN, _("weighted mean")
    RATIO = codes.Rule.RATIO, _("ratio of sums")
    LAST = codes.Rule.LAST, _("last")
    MAX = codes.Rule.MAX, _("maximum")


class Frequency(models.IntegerChoices):
    MONTHLY = 12, _("monthly")
    QUARTERLY = 4, _("quarterly")
    HALF_YEARLY = 2, _("half-yearly")
    YEARLY = 1, _("yearly")


class LightBy(models.IntegerChoices):
    MONTH = 1, _("the month")
    TO_DATE = 2, _("the year to date")


class Denominator(models.IntegerChoices):
    NONE = 0, _("none")
    REPORTED = 1, _("reported with the numerator")
    POPULATION = 2, _("population of the territory in that year")


@tracked()
class SheetVersion(LocalName):
    """The indicator sheet (ficha) as it holds from one month up to, not including, another."""

    indicator = models.ForeignKey(Indicator, models.CASCADE, related_name="sheets")
    version = models.PositiveSmallIntegerField(_("version"))
    valid_from = models.DateField(_("valid from month"))
    valid_to = models.DateField(_("valid to month, not included"), null=True, blank=True)

    description = models.TextField(_("description"), blank=True)
    description_en = models.TextField(_("description in English"), blank=True)
    hierarchy = models.CharField(_("hierarchy"), max_length=10, choices=Hierarchy, default=Hierarchy.RESULT)
    behaviour = models.CharField(_("behaviour"), max_length=12, choices=Behaviour, default=Behaviour.DISCRETE)
    sensitivity = models.CharField(_("sensitivity"), max_length=10, choices=Sensitivity, default=Sensitivity.INTERNAL)
    accumulation = models.CharField(
        _("accumulation over years"), max_length=12, choices=Accumulation, default="", blank=True
    )
    unit_of_measure = models.CharField(_("unit of measure"), max_length=60)
    unit_of_measure_en = models.CharField(_("unit of measure in English"), max_length=60, blank=True)
    decimals = models.PositiveSmallIntegerField(_("decimals"), default=0)
    frequency = models.PositiveSmallIntegerField(_("frequency"), choices=Frequency, default=Frequency.MONTHLY)
    lag_days = models.PositiveSmallIntegerField(_("lag in days until the data exist"), default=5)

    formula = models.CharField(
        _("formula over other indicators"), max_length=400, blank=True, help_text=_("For example [PN.A] / [PN.B] * 100")
    )
    numerator = models.CharField(_("numerator"), max_length=200)
    numerator_source = models.CharField(_("source of the numerator"), max_length=200, blank=True)
    denominator = models.CharField(_("denominator"), max_length=200, blank=True)
    denominator_source = models.CharField(_("source of the denominator"), max_length=200, blank=True)
    denominator_kind = models.PositiveSmallIntegerField(
        _("kind of denominator"), choices=Denominator, default=Denominator.NONE
    )
    scale = models.FloatField(_("scale"), default=1, help_text=_("value = scale x numerator / denominator"))
    is_count = models.BooleanField(_("is a count of events"), default=False)

    sense = models.PositiveSmallIntegerField(_("direction"), choices=Sense)
    tolerance = models.FloatField(_("tolerance outside the range"), null=True, blank=True)
    over_units = models.PositiveSmallIntegerField(_("roll-up over units"), choices=Rule, default=Rule.SUM)
    over_time = models.PositiveSmallIntegerField(_("roll-up over time"), choices=Rule, default=Rule.SUM)
    denominator_over_units = models.PositiveSmallIntegerField(
        _("denominator over units"), choices=Rule, default=Rule.SUM
    )
    denominator_over_time = models.PositiveSmallIntegerField(_("denominator over time"), choices=Rule, default=Rule.SUM)
    light_by = models.PositiveSmallIntegerField(_("light by"), choices=LightBy, default=LightBy.TO_DATE)

    baseline_value = models.FloatField(_("baseline"), null=True, blank=True)
    baseline_on = models.DateField(_("baseline of"), null=True, blank=True)
    baseline_source = models.CharField(_("source of the baseline"), max_length=200, blank=True)
    baseline_none_because = models.CharField(_("no baseline, because"), max_length=300, blank=True)

    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("responsible")
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approver")
    )
    evidence_required = models.BooleanField(_("evidence required"), default=False)
    is_entered = models.BooleanField(
        _("entered by hand"), default=False, help_text=_("Shown on the entry page of the units that it is assigned to.")
    )

    objects = SheetQuerySet.as_manager()

    class Meta:
        ordering = ["indicator__code", "version"]
        verbose_name = _("indicator sheet")
        verbose_name_plural = _("indicator sheets")
        constraints = [
            models.UniqueConstraint(fields=["indicator", "version"], name="sheet_version_once"),
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="sheet_period"),
            models.CheckConstraint(
                condition=Q(valid_from__day=1) & (Q(valid_to__day=1) | Q(valid_to=None)), name="sheet_months"
            ),
            models.CheckConstraint(condition=~Q(over_units=codes.Rule.LAST), name="sheet_no_last_over_units"),
            ExclusionConstraint(
                name="sheet_one_at_a_time",
                expressions=[
                    (_int_range("indicator"), RangeOperators.OVERLAPS),
                    (_dates("valid_from", "valid_to"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    @property
    def local_unit_of_measure(self):
        return self._local("unit_of_measure")

    @property
    def local_description(self):
        return self._local("description")

    def _local(self, field):
        english = getattr(self, f"{field}_en")
        return english if english and get_language() == "en" else getattr(self, field)


@tracked()
class Assignment(models.Model):
    """An indicator is due of a unit from one month up to, not including, another."""

    indicator = models.ForeignKey(Indicator, models.CASCADE, related_name="assignments")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="assignments")
    from_month = models.DateField(_("from month"))
    to_month = models.DateField(_("to month, not included"), null=True, blank=True)

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.CheckConstraint(condition=Q(to_month__gt=F("from_month")), name="assignment_order"),
            models.CheckConstraint(
                condition=Q(from_month__day=1) & (Q(to_month__day=1) | Q(to_month=None)), name="assignment_months"
            ),
            ExclusionConstraint(
                name="assignment_one_at_a_time",
                expressions=[
                    (_int_range("indicator"), RangeOperators.OVERLAPS),
                    (_int_range("unit"), RangeOperators.OVERLAPS),
                    (_dates("from_month", "to_month"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class Batch(models.Model):
    """One bulk write (a file, a feed, a page): who, when, from what, and what came of it."""

    kind = models.CharField(_("kind"), max_length=40)
    name = models.CharField(_("name"), max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("at"))
    is_simulated = models.BooleanField(_("simulated"), default=False)
    report = models.JSONField(_("report"), default=dict)

    KINDS = {
        "approval": _("approval"),
        "entry": _("entry by hand"),
        "events": _("events counted"),
        "figures": _("figures"),
        "plan": _("plan"),
        "sample": _("sample country"),
        "targets": _("targets"),
    }

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("batch")
        verbose_name_plural = _("batches")

    @property
    def kind_words(self):
        return self.KINDS.get(self.kind, self.kind)


class MeasurementState(models.IntegerChoices):
    FIGURE = 1, _("figure")
    NOT_APPLICABLE = 2, _("not applicable")


class Figure(models.Model):
    """What was said of indicator x unit x month, by whom and when. A blank is no row; a zero is a figure."""

    numerator = models.FloatField(_("numerator"), null=True)
    denominator = models.FloatField(_("denominator"), null=True)
    state = models.SmallIntegerField(_("state"), choices=MeasurementState, default=MeasurementState.FIGURE)
    is_provisional = models.BooleanField(_("provisional"), default=True)
    source = models.CharField(_("source"), max_length=20)
    batch_id = models.IntegerField(null=True)
    recorded_by_id = models.IntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


class Measurement(Figure):
    """A figure reported for indicator x unit x month: the truth. Partitioned by year in the database."""

    pk = models.CompositePrimaryKey("month", "indicator", "unit")
    month = models.DateField(_("month"))
    indicator = models.ForeignKey(Indicator, models.DO_NOTHING, db_index=False, related_name="+")
    unit = models.ForeignKey(Unit, models.DO_NOTHING, db_index=False, related_name="+")

    objects = FigureQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "indicators_measurement"
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")


class MeasurementPast(Figure):
    """What a measurement said before, until when, and why it was changed. With the measurement: its whole life."""

    id = models.BigAutoField(primary_key=True)
    month = models.DateField(_("month"))
    indicator = models.ForeignKey(Indicator, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    unit = models.ForeignKey(Unit, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    replaced_at = models.DateTimeField()
    replaced_by_id = models.IntegerField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["indicator", "unit", "month"], name="measurement_past_key")]
        verbose_name = _("past figure")
        verbose_name_plural = _("past figures")


class Promise(models.Model):
    """The target of a month: a value, or a range; and the baseline of the same month."""

    value = models.FloatField(_("target"), null=True)
    low = models.FloatField(_("from"), null=True)
    high = models.FloatField(_("to"), null=True)
    baseline = models.FloatField(_("baseline"), null=True)
    batch_id = models.IntegerField(null=True)
    recorded_by_id = models.IntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        abstract = True


class Target(Promise):
    """What was promised for indicator x unit x month. Partitioned by year in the database."""

    pk = models.CompositePrimaryKey("month", "indicator", "unit")
    month = models.DateField(_("month"))
    indicator = models.ForeignKey(Indicator, models.DO_NOTHING, db_index=False, related_name="+")
    unit = models.ForeignKey(Unit, models.DO_NOTHING, db_index=False, related_name="+")

    objects = FigureQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "indicators_target"
        verbose_name = _("target")
        verbose_name_plural = _("targets")


class TargetPast(Promise):
    """What a target said before, until when, and why it was changed."""

    id = models.BigAutoField(primary_key=True)
    month = models.DateField(_("month"))
    indicator = models.ForeignKey(Indicator, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    unit = models.ForeignKey(Unit, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    replaced_at = models.DateTimeField()
    replaced_by_id = models.IntegerField(null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["indicator", "unit", "month"], name="target_past_key")]
        verbose_name = _("past target")
        verbose_name_plural = _("past targets")


class StaleMark(models.Model):
    """Cards of this month and the year's later ones have to be computed again for this indicator."""

    id = models.BigAutoField(primary_key=True)
    month = models.DateField(_("month"))
    institution = models.ForeignKey(Institution, models.CASCADE, related_name="+")
    indicator = models.ForeignKey(Indicator, models.CASCADE, null=True, related_name="+")
    marked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("stale mark")
        verbose_name_plural = _("stale marks")
