"""What happened and where: events of every institution, their victims, and the dictionary of what is known of them.

Of a person there are coded characteristics and no name, no address, no document. What an incident says in categories is
`codes`, in numbers `numbers`: arrays in the order of the dictionary's positions, which are never reused, so that the
dictionary grows without a migration. Code 0 and NaN are "not stated"; a shorter array says nothing of the rest.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from incidents.connect.models import Connector, DeadLetter, LetterState, Paging  # noqa: F401 - models of this app
from incidents.querysets import IncidentQuerySet
from indicators.models import Batch, Indicator, Sensitivity
from units.history import tracked
from units.models import CODE, Institution, LocalName, Territory
from units.querysets import OpenQuerySet

KEY = RegexValidator(r"^[a-z][a-z0-9_]{0,39}$", _("Use small letters, digits and underscores, 40 at most."))


@tracked()
class Category(LocalName):
    """A kind of event, in a tree, with the class of the UN's ICCS that it is counted under."""

    code = models.CharField(_("code"), max_length=24, unique=True, validators=[CODE])
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    iccs = models.CharField(_("ICCS class"), max_length=12, blank=True)

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")


class Factor(models.TextChoices):
    VICTIM = "victim", _("victim")
    VICTIMIZER = "victimizer", _("victimizer")
    ENVIRONMENT = "environment", _("environment")


class Kind(models.TextChoices):
    CATEGORY = "category", _("category")
    NUMBER = "number", _("number")
    COLUMN = "column", _("column of the incident")


@tracked()
class Variable(LocalName):
    """Something that may be known of a victim, a victimizer or the surroundings, and its place in their arrays."""

    factor = models.CharField(_("factor"), max_length=12, choices=Factor)
    key = models.CharField(_("key"), max_length=40, validators=[KEY])
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    position = models.PositiveSmallIntegerField(_("position"), null=True, blank=True)
    sensitivity = models.CharField(_("sensitivity"), max_length=10, choices=Sensitivity, default=Sensitivity.INTERNAL)
    is_retired = models.BooleanField(_("retired"), default=False, db_default=False)

    objects = OpenQuerySet.as_manager()

    class Meta:
        ordering = ["factor", "kind", "position", "key"]
        verbose_name = _("variable")
        verbose_name_plural = _("variables")
        constraints = [
            models.UniqueConstraint(fields=["factor", "key"], name="variable_key"),
            models.UniqueConstraint(fields=["factor", "kind", "position"], name="variable_position_once"),
            models.CheckConstraint(
                condition=Q(kind=Kind.COLUMN, position=None) | (~Q(kind=Kind.COLUMN) & Q(position__isnull=False)),
                name="variable_position",
            ),
        ]


@tracked()
class VariableCode(LocalName):
    """One value of a variable that is a category. `label` is how files write it: capitals, no accents."""

    variable = models.ForeignKey(Variable, models.CASCADE, related_name="codes")
    code = models.PositiveSmallIntegerField(_("code"))
    label = models.CharField(_("as written in files"), max_length=160)
    is_retired = models.BooleanField(_("retired"), default=False, db_default=False)

    class Meta:
        ordering = ["variable", "code"]
        verbose_name = _("code of a variable")
        verbose_name_plural = _("codes of variables")
        constraints = [
            models.UniqueConstraint(fields=["variable", "code"], name="variable_code_once"),
            models.UniqueConstraint(fields=["variable", "label"], name="variable_label_once"),
            models.CheckConstraint(condition=Q(code__gt=0), name="variable_code_not_zero"),
        ]


class PlaceCode(models.Model):
    """A place as a source writes it where no territory has that code, and the territory that it was taken for."""

    code = models.CharField(_("code as given"), max_length=24, unique=True)
    territory = models.ForeignKey(Territory, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("place code")
        verbose_name_plural = _("place codes")


class Publication(models.Model):
    """One published file of incidents: what it covers, what was taken from it, and what it revised."""

    layout = models.CharField(_("layout"), max_length=40)
    source = models.ForeignKey(Institution, models.PROTECT, related_name="publications")
    name = models.CharField(_("name"), max_length=200)
    sha256 = models.CharField(max_length=64)
    from_month = models.DateField(_("from month"))
    to_month = models.DateField(_("to month, not included"))
    at = models.DateTimeField(_("at"))
    rows = models.PositiveIntegerField(_("rows"))
    repeated = models.PositiveIntegerField(_("repeated rows"))
    refused = models.PositiveIntegerField(_("refused"))
    unchanged = models.PositiveIntegerField(_("unchanged"))
    added = models.PositiveIntegerField(_("added"))
    changed = models.PositiveIntegerField(_("changed"))
    removed = models.PositiveIntegerField(_("removed"))
    report = models.JSONField(_("report"), default=dict)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.CheckConstraint(condition=Q(to_month__gt=F("from_month")), name="publication_order"),
            models.CheckConstraint(condition=Q(from_month__day=1) & Q(to_month__day=1), name="publication_months"),
        ]


class TimePrecision(models.IntegerChoices):
    DAY = 1, _("day")
    HOUR = 2, _("hour")
    MINUTE = 3, _("minute")
    SECOND = 4, _("second")


class PlacePrecision(models.IntegerChoices):
    POINT = 1, _("point")
    SUBCIRCUIT = 2, _("centre of the subcircuit")
    COARSER = 3, _("coarser territory")
    NOT_DELIMITED = 4, _("not delimited")
    MISSING = 5, _("missing")


class Channel(models.IntegerChoices):
    """How an alert reached the emergency service; 0 in the column where it is not stated."""

    PHONE = 1, _("telephone")
    VIDEO = 2, _("video surveillance")
    MANUAL = 3, _("entered by hand")
    PANIC_BUTTON = 4, _("panic button")


class AlertClass(models.IntegerChoices):
    NORMAL = 1, _("normal")
    MALICIOUS = 2, _("malicious")
    ENQUIRY = 3, _("enquiry")
    ERROR = 4, _("error")


class Service(models.IntegerChoices):
    """The seven services that an emergency centre dispatches."""

    SECURITY = 1, _("citizen security")
    HEALTH = 2, _("health")
    TRANSIT = 3, _("transit and mobility")
    MUNICIPAL = 4, _("municipal services")
    FIRE = 5, _("fire and rescue")
    MILITARY = 6, _("military")
    RISK = 7, _("risk management")


class Video(models.IntegerChoices):
    """What the cameras did: T1 to T3."""

    PREVENTED = 1, _("prevented (T1)")
    FOLLOWED = 2, _("followed (T2)")
    SUPPORTING = 3, _("supporting (T3)")


STAGES = ("reported_at", "received_at", "answered_at", "dispatched_at", "arrived_at", "closed_at")


class Account(models.Model):
    """What a source says of an incident. Channel, alert class, service and video are 0 where not stated."""

    occurred_on = models.DateField(_("date"))
    occurred_at = models.TimeField(_("time"), null=True)
    time_precision = models.SmallIntegerField(_("precision of the time"), choices=TimePrecision)
    source = models.ForeignKey(Institution, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    category = models.ForeignKey(Category, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    territory = models.ForeignKey(
        Territory, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    place_code = models.ForeignKey(
        PlaceCode, models.DO_NOTHING, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    place_precision = models.SmallIntegerField(_("precision of the place"), choices=PlacePrecision)
    longitude = models.FloatField(_("longitude"), null=True)
    latitude = models.FloatField(_("latitude"), null=True)
    reported_at = models.DateTimeField(_("reported"), null=True)
    received_at = models.DateTimeField(_("received"), null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)
    dispatched_at = models.DateTimeField(_("dispatched"), null=True)
    arrived_at = models.DateTimeField(_("arrived"), null=True)
    closed_at = models.DateTimeField(_("closed"), null=True)
    channel = models.SmallIntegerField(_("channel"), choices=Channel, default=0, db_default=0)
    alert_class = models.SmallIntegerField(_("alert class"), choices=AlertClass, default=0, db_default=0)
    service = models.SmallIntegerField(_("service"), choices=Service, default=0, db_default=0)
    video = models.SmallIntegerField(_("video support"), choices=Video, default=0, db_default=0)
    codes = ArrayField(models.SmallIntegerField())
    numbers = ArrayField(models.FloatField())

    class Meta:
        abstract = True


class Incident(Account):
    """One event, in a place, of one source. `publication` is the one that first gave it, or last changed it.

    Partitioned by year in the database, without foreign keys there (see the migration).
    """

    pk = models.CompositePrimaryKey("occurred_on", "id")
    id = models.BigIntegerField()
    publication = models.ForeignKey(Publication, models.DO_NOTHING, null=True, db_index=False, related_name="+")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "incidents_incident"
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")


class Person(models.Model):
    """A person in an incident, by characteristics alone. Stands in the partition of its incident's year."""

    pk = models.CompositePrimaryKey("occurred_on", "incident_id", "ordinal")
    occurred_on = models.DateField()
    incident_id = models.BigIntegerField()
    ordinal = models.SmallIntegerField()
    codes = ArrayField(models.SmallIntegerField())
    numbers = ArrayField(models.FloatField())

    class Meta:
        abstract = True


class Victim(Person):
    """A person harmed in an incident."""

    class Meta:
        managed = False
        db_table = "incidents_victim"
        verbose_name = _("victim")
        verbose_name_plural = _("victims")


class Victimizer(Person):
    """A person who is said to have done it."""

    class Meta:
        managed = False
        db_table = "incidents_victimizer"
        verbose_name = _("victimizer")
        verbose_name_plural = _("victimizers")


class IncidentKey(models.Model):
    """The source's own identifier of an incident, where it gives one: once in all years.

    `digest` is of what a feed last said of it; `version` the source's own count of its accounts. The key of what the
    source took back stays, so that a late retry does not bring it to life again.
    """

    pk = models.CompositePrimaryKey("source", "external_id")
    source = models.ForeignKey(Institution, models.PROTECT, db_index=False, db_constraint=False, related_name="+")
    external_id = models.CharField(_("identifier at the source"), max_length=80)
    incident_id = models.BigIntegerField(unique=True)
    occurred_on = models.DateField(_("date"))
    digest = models.BigIntegerField(null=True)
    version = models.BigIntegerField(_("version at the source"), null=True)
    is_retracted = models.BooleanField(_("retracted"), default=False, db_default=False)

    class Meta:
        verbose_name = _("key of an incident")
        verbose_name_plural = _("keys of incidents")


class Fate(models.TextChoices):
    CHANGED = "changed", _("changed")
    REMOVED = "removed", _("removed")
    RECLASSIFIED = "reclassified", _("reclassified")
    RETRACTED = "retracted", _("retracted")


class IncidentPast(Account):
    """What was said of an incident before, until when, and in what what replaced it differs.

    A publication or the account of a feed replaced it: one of the two is named.
    """

    id = models.BigAutoField(primary_key=True)
    incident_id = models.BigIntegerField(db_index=True)
    said_by = models.ForeignKey(Publication, models.PROTECT, null=True, related_name="+")
    victims = models.JSONField(default=list, db_default=[])
    victimizers = models.JSONField(default=list, db_default=[])
    digest = models.BigIntegerField(null=True)
    fate = models.CharField(max_length=12, choices=Fate)
    changes = ArrayField(models.CharField(max_length=40), default=list)
    reason = models.TextField(_("reason"), blank=True, default="", db_default="")
    replaced_at = models.DateTimeField()
    replaced_by = models.ForeignKey(Publication, models.PROTECT, null=True, related_name="revisions")
    replaced_by_account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("past account of an incident")
        verbose_name_plural = _("past accounts of incidents")


class CountMark(models.Model):
    """Incidents of this category and month changed: what counts them has to be counted again."""

    month = models.DateField(_("month"))
    category = models.ForeignKey(Category, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    marked_at = models.DateTimeField(_("marked"))

    class Meta:
        verbose_name = _("mark of a count")
        verbose_name_plural = _("marks of counts")
        constraints = [models.CheckConstraint(condition=Q(month__day=1), name="count_mark_month")]


class JobState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


class Job(models.Model):
    """A large body that was accepted and is taken in later, in parts: how far it is, and what came of it.

    `done` items are in; who takes a job up again goes on from there. The body is cleared when the job is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=20)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    at = models.DateTimeField(_("accepted"))
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    items = models.PositiveIntegerField(_("items"), null=True)
    done = models.PositiveIntegerField(_("items taken"), default=0)
    report = models.JSONField(_("report"), default=dict)
    content_type = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(null=True)
    is_short = models.BooleanField(default=False, db_default=False)  # fewer bytes came than were announced
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)  # since it last came on

    class Meta:
        ordering = ["-at"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")


class Measure(models.TextChoices):
    EVENTS = "events", _("count of events")
    VICTIMS = "victims", _("count of victims")
    VICTIMIZERS = "victimizers", _("count of victimizers")
    SHARE = "share", _("share")
    MEDIAN = "median", _("median of the minutes between two stages")
    P90 = "p90", _("90th percentile of the minutes between two stages")


TIMED = (Measure.MEDIAN, Measure.P90)


class Stage(models.TextChoices):
    """The moments of an emergency's handling, in their order."""

    REPORTED = "reported", _("reported")
    RECEIVED = "received", _("received")
    ANSWERED = "answered", _("answered")
    DISPATCHED = "dispatched", _("dispatched")
    ARRIVED = "arrived", _("arrived")
    CLOSED = "closed", _("closed")


def _int_range(field):
    return Func(F(field), F(field), Value("[]"), function="int4range")


@tracked()
class EventRule(models.Model):
    """Which incidents an indicator counts, from one month up to, not including, another: a category and all below it.

    A count is the numerator; a rate's denominator is of the sheet. A share counts `part` above and all that passes the
    filter below. A median or 90th percentile is of the minutes from one stage to a later one, of the events that state
    both. Without a source, every source's incidents count. `filter` and `part`: see incidents.conditions.
    """

    indicator = models.ForeignKey(Indicator, models.CASCADE, related_name="event_rules")
    measure = models.CharField(_("measure"), max_length=12, choices=Measure)
    category = models.ForeignKey(Category, models.PROTECT, related_name="+")
    source = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, related_name="+")
    filter = models.JSONField(_("conditions"), default=list, blank=True, db_default=[])
    part = models.JSONField(_("conditions of the part"), default=list, blank=True, db_default=[])
    from_stage = models.CharField(_("from stage"), max_length=10, choices=Stage, blank=True, default="", db_default="")
    to_stage = models.CharField(_("to stage"), max_length=10, choices=Stage, blank=True, default="", db_default="")
    from_month = models.DateField(_("from month"))
    to_month = models.DateField(_("to month, not included"), null=True, blank=True)

    class Meta:
        ordering = ["indicator", "from_month"]
        verbose_name = _("event rule")
        verbose_name_plural = _("event rules")
        constraints = [
            models.CheckConstraint(condition=Q(to_month__gt=F("from_month")), name="event_rule_order"),
            models.CheckConstraint(
                condition=Q(from_month__day=1) & (Q(to_month__day=1) | Q(to_month=None)), name="event_rule_months"
            ),
            models.CheckConstraint(condition=Q(measure__in=Measure.values), name="event_rule_measure"),
            models.CheckConstraint(
                condition=(Q(measure=Measure.SHARE) & ~Q(part=[])) | (~Q(measure=Measure.SHARE) & Q(part=[])),
                name="event_rule_part",
            ),
            models.CheckConstraint(
                condition=Q(measure__in=TIMED, from_stage__in=Stage.values, to_stage__in=Stage.values)
                | (~Q(measure__in=TIMED) & Q(from_stage="", to_stage="")),
                name="event_rule_stages",
            ),
            ExclusionConstraint(
                name="event_rule_one_at_a_time",
                expressions=[
                    (_int_range("indicator"), RangeOperators.OVERLAPS),
                    (
                        Func(F("from_month"), F("to_month"), function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
