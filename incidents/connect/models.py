"""Sources that are pulled, and what was refused where no person read the answer.

Neither has a column for a person's name or address. The raw item of a dead letter is as its source sent it, and may say
more than is taken: it is kept limited in size, cleared when the letter is settled, and deleted with it after
settings.LETTER_DAYS.
"""

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from units.history import tracked
from units.models import Institution

NAME = RegexValidator(r"^[a-z][a-z0-9-]{1,39}$", _("Use small letters, digits and hyphens, 2 to 40."))
WORD = RegexValidator(r"^[A-Za-z0-9_.\[\]-]{1,60}$", _("Use letters, digits, dots, hyphens and underscores."))
HEADER = RegexValidator(r"^[A-Za-z0-9-]{1,60}$", _("Use letters, digits and hyphens."))
LARGEST_RAW = 16 * 1024  # bytes of an item that a dead letter keeps


class Paging(models.TextChoices):
    """How a source says where its next page is."""

    NONE = "none", _("one page, always the same address")
    CURSOR = "cursor", _("a cursor in the answer")
    PAGE = "page", _("page numbers")
    NEXT_LINK = "next_link", _("a link to the next page")


RUNNING = (
    "secret", "cursor", "last_success_at", "last_event_at", "failures", "next_attempt_at", "last_rule", "last_error",
)  # fmt: skip


@tracked(exclude=list(RUNNING))
class Connector(models.Model):
    """A paged source of one institution, read on a schedule. Its account holds no role and has no token.

    `cursor` says where the next pull begins, in the words of its kind of paging; it is set in the transaction that
    takes the page before. `secret` is sent in the header and shown nowhere.
    """

    name = models.CharField(_("name"), max_length=40, unique=True, validators=[NAME])
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="connectors")
    account = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="connector")
    url = models.CharField(_("address"), max_length=500)
    header = models.CharField(
        _("header of the secret"), max_length=60, default="Authorization", validators=[HEADER], blank=True
    )
    secret = models.CharField(max_length=500, blank=True, default="")
    layout = models.CharField(_("layout"), max_length=40, blank=True, default="")
    items_path = models.CharField(_("list in the answer"), max_length=60, blank=True, default="", validators=[WORD])
    paging = models.CharField(_("paging"), max_length=10, choices=Paging, default=Paging.CURSOR)
    cursor_parameter = models.CharField(_("parameter"), max_length=60, blank=True, default="", validators=[WORD])
    cursor_path = models.CharField(_("next page in the answer"), max_length=60, blank=True, validators=[WORD])
    every_seconds = models.PositiveIntegerField(
        _("seconds between pulls"), default=60, validators=[MinValueValidator(5)]
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("since"))
    begun_at = models.DateTimeField(_("read from the beginning since"))
    secret_set_at = models.DateTimeField(_("secret given"), null=True)
    cursor = models.CharField(max_length=2000, blank=True, default="")
    last_success_at = models.DateTimeField(_("last read to the end"), null=True)
    last_event_at = models.DateTimeField(_("last brought something new"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_index=True)
    last_rule = models.CharField(max_length=40, blank=True, default="")
    last_error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["name"]
        verbose_name = _("connector")
        verbose_name_plural = _("connectors")
        constraints = [
            models.CheckConstraint(condition=Q(paging__in=Paging.values), name="connector_paging"),
            models.CheckConstraint(condition=Q(every_seconds__gte=5), name="connector_every"),
        ]

    def __str__(self):
        return self.name


class LetterState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    REPLAYED = "replayed", _("taken at a replay")
    OVERTAKEN = "overtaken", _("overtaken by a later account")
    DISMISSED = "dismissed", _("dismissed")


class DeadLetter(models.Model):
    """An item that was refused where no person read the answer: as it came, and the first rule that it broke.

    The same item sent again is the same letter. `digest_then`: what was held of the event when it was refused; where
    something else is held now, the source has spoken since, and the letter is not replayed over it.
    """

    id = models.BigAutoField(primary_key=True)
    institution = models.ForeignKey(Institution, models.PROTECT, related_name="+")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    connector = models.ForeignKey(Connector, models.PROTECT, null=True, related_name="letters")
    layout = models.CharField(max_length=40, blank=True, default="")
    received_at = models.DateTimeField(_("received"))
    times = models.PositiveIntegerField(_("times received"), default=1)
    digest = models.BinaryField(max_length=32, help_text="sha256 of the item as it came")
    raw = models.BinaryField(null=True)
    is_cut = models.BooleanField(default=False)
    external_id = models.CharField(_("identifier at the source"), max_length=80, blank=True, default="")
    digest_then = models.BigIntegerField(null=True)
    rule = models.CharField(_("rule"), max_length=40)
    field = models.CharField(_("field"), max_length=100, blank=True, default="")
    message = models.CharField(_("what stood there"), max_length=300, blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=LetterState, default=LetterState.WAITING)
    result = models.CharField(_("result"), max_length=20, blank=True, default="")
    settled_at = models.DateTimeField(_("settled"), null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-received_at", "-pk"]
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [
            models.UniqueConstraint(fields=["account", "digest"], name="dead_letter_once"),
            models.CheckConstraint(condition=Q(state__in=LetterState.values), name="dead_letter_state"),
        ]
        indexes = [
            models.Index(fields=["institution", "-received_at"], name="dead_letter_list"),
            models.Index(fields=["account"], name="dead_letter_waiting", condition=Q(state="waiting")),
        ]
