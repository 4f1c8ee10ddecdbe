"""Changes of connectors. Each says by whom; what ran before goes on until it sees that the connector is another."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from incidents.connect import fetch
from incidents.connect.models import RUNNING, Connector, Paging
from incidents.connect.rules import SourceError
from incidents.layout import names
from units.actions import recorded
from units.models import User

SAID = ("url", "header", "layout", "items_path", "paging", "cursor_parameter", "cursor_path", "every_seconds")
# Another source, or another way through it: where the last pull ended means nothing there.
WAY = ("url", "paging", "cursor_parameter", "cursor_path")
RESERVED = {"new"}


def add(*, by, institution, name, now, reason="", **said):
    """A connector with an account of its own, which holds no role and opens nothing. It is due at once."""
    if name in RESERVED:
        raise ValidationError({"name": _("This name is taken.")})
    with recorded(by=by, reason=reason):
        account = User(username=f"connector.{name}", first_name=name, institution=institution)
        account.set_unusable_password()
        account.full_clean(exclude=["password"])
        account.save()
        connector = Connector(
            name=name,
            institution=institution,
            account=account,
            created_at=now,
            begun_at=now,
            next_attempt_at=now,
            **said,
        )
        _check(connector)
        connector.save()
    return connector


def edit(*, by, connector, now, reason="", **said):
    """What a connector reads, and how. Where the way through the source is another, it is read from its beginning."""
    with recorded(by=by, reason=reason):
        held = Connector.objects.select_for_update(of=("self",)).select_related("institution").get(pk=connector.pk)
        is_other = any(name in said and said[name] != getattr(held, name) for name in WAY)
        if _host(held.url) != _host(said.get("url", held.url)):
            held.secret, held.secret_set_at = "", None  # of the host that it was given for
        for name, value in said.items():
            setattr(held, name, value)
        _check(held)
        if is_other:
            held.cursor, held.begun_at = "", now
        held.failures, held.last_rule, held.last_error, held.next_attempt_at = 0, "", "", now
        held.save()
    return held


def _host(url):
    try:
        return fetch.origin(url)
    except SourceError:
        return None


def set_secret(*, by, connector, secret, now, reason=""):
    """What is sent in the header. It is kept, and shown to nobody."""
    if any(ord(letter) < 32 or ord(letter) > 126 for letter in secret):
        raise ValidationError({"secret": _("A secret has no control characters, and letters of ASCII alone.")})
    with recorded(by=by, reason=reason):
        Connector.objects.filter(pk=connector.pk).update(
            secret=secret,
            secret_set_at=now if secret else None,
            failures=0,
            last_rule="",
            last_error="",
            next_attempt_at=now,
        )


def set_active(*, by, connector, is_active, now, reason=""):
    """A paused connector is not pulled; made active again, it is due at once and goes on where it was left."""
    with recorded(by=by, reason=reason):
        held = Connector.objects.select_for_update(of=("self",)).get(pk=connector.pk)
        held.is_active, held.next_attempt_at = is_active, now
        held.save(update_fields=["is_active", "next_attempt_at"])
    return held


def run_now(*, by, connector, now):
    """It is due now, whatever its schedule or its last failure say."""
    with recorded(by=by):
        Connector.objects.filter(pk=connector.pk, is_active=True).update(next_attempt_at=now)


def restart(*, by, connector, now, reason=""):
    """The source is read from its beginning: where the last pull ended is forgotten. Events known change nothing."""
    with recorded(by=by, reason=reason):
        Connector.objects.filter(pk=connector.pk).update(cursor="", begun_at=now, failures=0, next_attempt_at=now)


def _check(connector):
    """Raise ValidationError where it breaks a rule, by field."""
    try:
        fetch.check_host(*fetch.origin(connector.url)[1:], resolve=False)
    except SourceError as error:
        raise ValidationError({"url": str(error)}) from error
    if connector.layout and connector.layout not in names():
        raise ValidationError({"layout": _("There is no such layout.")})
    if connector.paging in (Paging.NONE, Paging.NEXT_LINK) and connector.cursor_parameter:
        raise ValidationError({"cursor_parameter": _("This kind of paging has no parameter.")})
    connector.full_clean(exclude=["account", "secret_set_at", *RUNNING])
