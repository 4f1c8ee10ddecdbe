"""Who and where: institutions, their units in a tree that has dates, and the territories that the units cover."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermissionBase

from units.history import tracked
from units.querysets import TerritoryQuerySet, UnitQuerySet

CODE = RegexValidator(r"^[A-Z0-9][A-Z0-9.\-]{0,23}$", _("Use capital letters, digits, dots and hyphens, 24 at most."))


class LocalName(models.Model):
    """A name in the country's language, with an English one where there is one."""

    name = models.CharField(_("name"), max_length=160)
    name_en = models.CharField(_("name in English"), max_length=160, blank=True)

    class Meta:
        abstract = True

    def __str__(self):
        return self.local_name

    @property
    def local_name(self):
        return self.name_en if self.name_en and get_language() == "en" else self.name


@tracked()
class Institution(LocalName):
    """A legal public body, the root of a tree of units. The State itself is one, at the top."""

    code = models.CharField(_("code"), max_length=24, unique=True, validators=[CODE])
    short_name = models.CharField(_("short name"), max_length=24)
    is_state = models.BooleanField(_("is the State"), default=False)

    class Meta:
        ordering = ["code"]
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")
        constraints = [models.UniqueConstraint(F("is_state"), condition=Q(is_state=True), name="institution_one_state")]


class Level(models.IntegerChoices):
    NATION = 0, _("nation")
    ZONE = 1, _("zone")
    SUBZONE = 2, _("subzone")
    DISTRICT = 3, _("district")
    CIRCUIT = 4, _("circuit")
    SUBCIRCUIT = 5, _("subcircuit")


@tracked()
class Territory(LocalName):
    """An area with a level and a code. Keyed by code, never by name: names repeat."""

    code = models.CharField(_("code"), max_length=24, unique=True, validators=[CODE])
    level = models.SmallIntegerField(_("level"), choices=Level)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    is_delimited = models.BooleanField(_("delimited"), default=True)
    latitude = models.FloatField(_("latitude"), null=True, blank=True)
    longitude = models.FloatField(_("longitude"), null=True, blank=True)

    objects = TerritoryQuerySet.as_manager()

    class Meta:
        ordering = ["level", "code"]
        verbose_name = _("territory")
        verbose_name_plural = _("territories")


class Boundary(models.Model):
    """The line around a territory from one date to another (`valid_to` is the first day it no longer holds)."""

    territory = models.ForeignKey(Territory, models.CASCADE, related_name="boundaries")
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid to"), null=True, blank=True)
    geometry = models.JSONField(_("geometry"))
    source = models.CharField(_("source"), max_length=200)
    is_schematic = models.BooleanField(_("schematic"), default=False)

    class Meta:
        verbose_name = _("boundary")
        verbose_name_plural = _("boundaries")
        constraints = [
            models.CheckConstraint(condition=Q(valid_to__gt=F("valid_from")), name="boundary_period"),
            ExclusionConstraint(
                name="boundary_one_at_a_time",
                expressions=[
                    (Func(F("territory"), F("territory"), Value("[]"), function="int4range"), RangeOperators.OVERLAPS),
                    (Func(F("valid_from"), F("valid_to"), function="daterange"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class Population(models.Model):
    """People living in a territory in a year, with the source of the figure."""

    territory = models.ForeignKey(Territory, models.CASCADE, related_name="populations")
    year = models.SmallIntegerField(_("year"), validators=[MinValueValidator(1900), MaxValueValidator(2200)])
    people = models.PositiveIntegerField(_("people"))
    source = models.CharField(_("source"), max_length=200)

    class Meta:
        verbose_name = _("population")
        verbose_name_plural = _("populations")
        constraints = [models.UniqueConstraint(fields=["territory", "year"], name="population_once_a_year")]


@tracked()
class Unit(LocalName):
    """An organisational node. `parent`, `territory` and `path` say how things stand today; `UnitPeriod` says when."""

    institution = models.ForeignKey(Institution, models.PROTECT, related_name="units")
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[RegexValidator(r"^[A-Z0-9.\-]+$")])
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    territory = models.ForeignKey(Territory, models.PROTECT, null=True, blank=True, related_name="units")
    path = ArrayField(models.IntegerField(), default=list, editable=False, help_text="ids from the root to the unit")

    objects = UnitQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        indexes = [GinIndex(fields=["path"], name="unit_path")]
        # One permission a role: what the holder may do is in units.permissions.VERBS.
        default_permissions = ()
        permissions = [
            ("hold_viewer", "Viewer"),
            ("hold_reporter", "Reporter"),
            ("hold_approver", "Approver"),
            ("hold_analyst", "Analyst"),
            ("hold_unit_administrator", "Unit administrator"),
            ("hold_auditor", "Auditor"),
            ("hold_integrator", "Integrator"),
            ("hold_administrator", "Administrator"),
        ]


def _span():
    return Func(F("from_month"), F("to_month"), function="daterange", output_field=DateRangeField())


def _one(field):
    return Func(F(field), F(field), Value("[]"), function="int4range")


@tracked()
class UnitPeriod(models.Model):
    """Where a unit stood in the tree, and what it covered, from one month up to, not including, another."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="periods")
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    parent = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    territory = models.ForeignKey(Territory, models.PROTECT, null=True, blank=True, related_name="+")
    from_month = models.DateField(_("from month"))
    to_month = models.DateField(_("to month, not included"), null=True, blank=True)

    class Meta:
        ordering = ["unit_id", "from_month"]
        verbose_name = _("period of a unit")
        verbose_name_plural = _("periods of units")
        constraints = [
            models.CheckConstraint(condition=Q(to_month__gt=F("from_month")), name="unit_period_order"),
            models.CheckConstraint(
                condition=Q(from_month__day=1) & (Q(to_month__day=1) | Q(to_month=None)), name="unit_period_months"
            ),
            ExclusionConstraint(
                name="unit_period_one_at_a_time",
                expressions=[(_one("unit"), RangeOperators.OVERLAPS), (_span(), RangeOperators.OVERLAPS)],
            ),
            ExclusionConstraint(
                name="unit_period_one_unit_a_territory",
                expressions=[
                    (_one("institution"), RangeOperators.OVERLAPS),
                    (_one("territory"), RangeOperators.OVERLAPS),
                    (_span(), RangeOperators.OVERLAPS),
                ],
                condition=Q(territory__isnull=False),
            ),
        ]


@tracked(exclude=["password", "last_login"])
class User(AbstractUser):
    """A person or a service account. What it may do is held in units, never in these columns."""

    language = models.CharField(_("language"), max_length=5, blank=True)
    title = models.CharField(_("post"), max_length=160, blank=True)
    # The one institution for which a service account speaks; people have none.
    institution = models.ForeignKey(Institution, models.PROTECT, null=True, blank=True, related_name="service_accounts")

    class Meta(AbstractUser.Meta):
        pass

    def __str__(self):
        return self.get_full_name() or self.username


@tracked()
class UnitUserObjectPermission(UserObjectPermissionBase):
    """A role that a person holds in a unit, and so in all below it."""

    content_object = models.ForeignKey(Unit, models.CASCADE, related_name="grants")

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("grant")
        verbose_name_plural = _("grants")


@tracked(exclude=["digest", "last_used_at"])
class ServiceToken(models.Model):
    """What a service account shows to the API. Only its digest is kept: the token itself is shown once."""

    account = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=80)
    digest = models.CharField(max_length=64, unique=True, help_text="sha256, hexadecimal")
    prefix = models.CharField(_("begins with"), max_length=16)
    created_at = models.DateTimeField(_("issued"))
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["account_id", "-created_at"]
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="service_token_expires_later")
        ]

    def __str__(self):
        return self.name


class IdempotencyKey(models.Model):
    """The answer given to a request that may be sent again: the same key gets it once more, and nothing is done."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(User, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(help_text="sha256 of method, address and body")
    status = models.SmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="idempotency_key_once_an_account")]

    def __str__(self):
        return self.key
