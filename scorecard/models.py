"""How are we doing: plans of what is promised, and cards, the results of a unit in a month."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from indicators.models import Indicator
from units.access import institutions_seen
from units.history import tracked
from units.models import Institution, LocalName, Unit

WEIGHT = [MinValueValidator(0), MaxValueValidator(100)]


class PlanStatus(models.TextChoices):
    DRAFT = "draft", _("draft")
    APPROVED = "approved", _("approved")


class PlanQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Plans of the institutions of which the person sees any unit."""
        return self if user.is_superuser else self.filter(institution__in=institutions_seen(user))


class CardQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Cards of the units that the person sees."""
        return self if user.is_superuser else self.filter(unit__in=Unit.objects.visible_to(user))


@tracked()
class Plan(models.Model):
    """What an institution promises for a year: objectives in a tree, with weights, and the indicators that show
    them.
    """

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="plans")
    year = models.PositiveSmallIntegerField(_("year"), validators=[MinValueValidator(1990), MaxValueValidator(2200)])
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    status = models.CharField(_("status"), max_length=10, choices=PlanStatus, default=PlanStatus.DRAFT)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["institution__code", "-year"]
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [models.UniqueConstraint(fields=["institution", "year"], name="plan_one_a_year")]

    def __str__(self):
        return f"{self.institution.short_name} {self.year}"


@tracked()
class Perspective(LocalName):
    """A point of view under which objectives are read together (citizens, processes, people, resources)."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="perspectives")
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("perspective")
        verbose_name_plural = _("perspectives")


class Verb(models.TextChoices):
    INCREASE = "increase", _("Increase")
    REDUCE = "reduce", _("Reduce")


@tracked()
class Objective(models.Model):
    """Increase or reduce something by means of something. Its weight is its share among its siblings."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="objectives")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    perspective = models.ForeignKey(Perspective, models.SET_NULL, null=True, blank=True, related_name="objectives")
    contributes_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="contributions")
    verb = models.CharField(_("verb"), max_length=10, choices=Verb)
    what = models.CharField(_("what"), max_length=200)
    what_en = models.CharField(_("what, in English"), max_length=200, blank=True)
    means = models.CharField(_("by means of"), max_length=300)
    means_en = models.CharField(_("by means of, in English"), max_length=300, blank=True)
    weight = models.FloatField(_("weight"), validators=WEIGHT)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    responsible = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("objective")
        verbose_name_plural = _("objectives")
        constraints = [
            models.CheckConstraint(condition=Q(weight__gte=0) & Q(weight__lte=100), name="objective_weight"),
        ]

    def __str__(self):
        english = get_language() == "en"
        what = self.what_en if english and self.what_en else self.what
        means = self.means_en if english and self.means_en else self.means
        return _("%(verb)s %(what)s by means of %(means)s") % {
            "verb": self.get_verb_display(),
            "what": what,
            "means": means,
        }


@tracked()
class PlanLine(models.Model):
    """An indicator under an objective, with its weight there. The State's plan cites other institutions' indicators."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="lines")
    objective = models.ForeignKey(Objective, models.CASCADE, related_name="lines")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="plan_lines")
    weight = models.FloatField(_("weight"), validators=WEIGHT)
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    no_target_because = models.CharField(_("no targets, because"), max_length=300, blank=True)
    no_baseline_because = models.CharField(_("no baseline, because"), max_length=300, blank=True)

    class Meta:
        ordering = ["order", "pk"]
        verbose_name = _("plan line")
        verbose_name_plural = _("plan lines")
        constraints = [
            models.UniqueConstraint(fields=["plan", "indicator"], name="plan_line_once"),
            models.CheckConstraint(condition=Q(weight__gte=0) & Q(weight__lte=100), name="plan_line_weight"),
        ]


class Outlook(models.IntegerChoices):
    """What a person expects of the year's target."""

    WILL = 4, _("will be met")
    LIKELY = 3, _("likely to be met")
    UNLIKELY = 2, _("unlikely to be met")
    WILL_NOT = 1, _("will not be met")


class JudgementQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Judgements on the units that the person sees."""
        return self if user.is_superuser else self.filter(unit__in=Unit.objects.visible_to(user))


class Judgement(models.Model):
    """A person's own expectation of a year's target, with its reason. Never changed: the latest holds, all stay."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(_("year"))
    outlook = models.PositiveSmallIntegerField(_("outlook"), choices=Outlook)
    reason = models.CharField(_("reason"), max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"))

    objects = JudgementQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        indexes = [models.Index(fields=["unit", "indicator", "year", "-at"], name="judgement_of_year")]
        constraints = [
            models.CheckConstraint(condition=Q(outlook__gte=1) & Q(outlook__lte=4), name="judgement_outlook"),
            models.CheckConstraint(condition=~Q(reason=""), name="judgement_reason"),
        ]


class Position(models.Model):
    """The place of an indicator in the arrays of an institution's cards. Never reused, so that years line up."""

    institution = models.ForeignKey(Institution, models.CASCADE, related_name="positions")
    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="positions")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["institution", "indicator"], name="position_of_indicator"),
            models.UniqueConstraint(fields=["institution", "position"], name="position_once"),
        ]


class Recipe(models.Model):
    """What a card was made by: the plan as it stood, the tree, the sheets and the rules. Never changed once written."""

    digest = models.CharField(max_length=64, unique=True)
    institution = models.ForeignKey(Institution, models.CASCADE, related_name="+")
    structure = models.JSONField()
    made_at = models.DateTimeField()


def _figures():
    return ArrayField(models.FloatField())


def _marks():
    return ArrayField(models.SmallIntegerField())


class Card(models.Model):
    """A unit's scorecard for a month. Arrays stand in the order of `Position`; NaN is no figure. Derived: see refresh.

    `score`, `score_low`, `score_high`, `coverage` count provisional figures; `approved_*` only approved ones: their
    arrays,
    of what drives each light, are empty where nothing is provisional. `marks` are those of indicators.codes. `high`,
    `to_date_high` are the upper ends of ranges, whose lower ends stand in `target`; empty where no line has a range.
    `worst_child` and `worst_unit_id` are ids of units, 0 for none. Partitioned by year in the database.
    """

    pk = models.CompositePrimaryKey("month", "unit")
    month = models.DateField()
    unit = models.ForeignKey(Unit, models.DO_NOTHING, db_index=False, related_name="+")
    institution_id = models.IntegerField()
    parent_id = models.IntegerField(null=True)
    recipe_id = models.IntegerField()
    light = models.SmallIntegerField()
    has_red = models.BooleanField()
    is_provisional = models.BooleanField()
    score = models.FloatField()
    score_low = models.FloatField()
    score_high = models.FloatField()
    coverage = models.FloatField()
    approved_score = models.FloatField()
    approved_coverage = models.FloatField()
    worst_position = models.SmallIntegerField()
    worst_unit_id = models.IntegerField(null=True)
    objective_score = _figures()
    value = _figures()
    target = _figures()
    attainment = _figures()
    marks = _marks()
    to_date_value = _figures()
    to_date_target = _figures()
    to_date_attainment = _figures()
    to_date_marks = _marks()
    to_date_months = ArrayField(models.SmallIntegerField())
    reported = ArrayField(models.IntegerField())
    due = ArrayField(models.IntegerField())
    worst_child = ArrayField(models.IntegerField())
    high = _figures()
    to_date_high = _figures()
    approved_attainment = _figures()
    approved_marks = _marks()
    digest = models.BigIntegerField()

    objects = CardQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "scorecard_card"
        verbose_name = _("scorecard")
        verbose_name_plural = _("scorecards")
