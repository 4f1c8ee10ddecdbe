"""The operator's pages of feeds: all of them at a glance, and each connector with what may be done with it."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from incidents.connect import actions, pull, queries
from incidents.connect.forms import ConnectorForm, NewConnectorForm, SecretForm
from incidents.connect.models import Connector, DeadLetter, LetterState
from incidents.connect.rules import RULES
from units.access import institution_or_404, institutions_in
from units.permissions import Permission, can_anywhere
from units.tables import Cell, Column, Table, respond_with
from units.views.change import add_errors, change
from units.views.frame import manage_frame

MANAGE = Permission.MANAGE_FEEDS


def must_operate(user):
    """Raise PermissionDenied for who operates no feed."""
    if not can_anywhere(user, MANAGE):
        raise PermissionDenied(_("Your role does not allow this."))


def connector_or_404(user, name):
    """The connector of this name, of an institution whose feeds the person operates."""
    found = Connector.objects.select_related("institution", "account").filter(name=name).first()
    if found is None:
        raise Http404(_("There is no connector %(name)s that you may see.") % {"name": name})
    institution_or_404(user, MANAGE, found.institution.code)
    return found


def feed_href(connector):
    return reverse("manage-feed", args=[connector.name])


def feeds(request):
    """Every feed of the institutions that the person operates: when it last spoke, what came, what waits."""
    must_operate(request.user)
    institutions = institutions_in(request.user, MANAGE)
    found = queries.feeds_of(institutions, now=timezone.now())
    asked = {name: request.GET.get(name, "").strip()[:80] for name in ("q", "state")}
    shown = [feed for feed in found if _is_asked(feed, **asked)]
    table = _feeds_table(shown, asked, with_accounts=can_anywhere(request.user, Permission.MANAGE_PEOPLE))
    if (file := respond_with(table, request)) is not None:
        return file
    context = {
        **manage_frame(request, "feeds"),
        **asked,
        "table": table.offered_at(request),
        "states": [(state, queries.state_words(state)) for state in queries.STATES],
        "troubled": sum(feed.is_troubled for feed in found),
        "waiting": sum(feed.waiting for feed in found),
        "count": len(found),
    }
    return render(request, "incidents/manage/feeds.html", context)


def _is_asked(feed, *, q, state):
    text = f"{feed.name} {feed.institution.code} {feed.institution.local_name}".casefold()
    return all(word in text for word in q.casefold().split()) and state in ("", feed.state)


def _href(feed, with_accounts):
    """The connector's page, or that of the account that sends, for whoever manages accounts."""
    if feed.connector:
        return feed_href(feed.connector)
    return reverse("manage-account", args=[feed.username]) if with_accounts else ""


def _feeds_table(found, asked, *, with_accounts):
    columns = [
        Column("feed", _("Feed")),
        Column("institution", _("Institution")),
        Column("kind", _("Kind"), narrow="hide"),
        Column("state", _("State")),
        Column("last", _("Last event"), "date"),
        Column("lag", _("Lag")),
        Column("taken", _("Taken in 24 h"), "number", 0),
        Column("refused", _("Refused in 24 h"), "number", 0),
        Column("without_point", _("Without a usable point, 24 h"), "number", 0),
        Column("waiting", _("Dead letters waiting"), "number", 0),
    ]
    rows = [
        [
            Cell(feed.name, _href(feed, with_accounts)),
            feed.institution.local_name,
            _("fetched") if feed.connector else _("sent"),
            queries.state_words(feed.state),
            feed.last_event,
            queries.ago(feed.lag),
            feed.taken,
            feed.refused,
            feed.without_point,
            Cell(feed.waiting, f"{reverse('manage-dead-letters')}?feed={feed.username}") if feed.waiting else 0,
        ]
        for feed in found
    ]
    notes = [(_("Search"), asked["q"])] if asked["q"] else []
    empty = _("No feed here. Add a connector, or give an institution's service account a token.")
    return Table(_("Feeds"), columns, rows, notes, id="feeds", name="feeds", empty=empty)


def feed(request, name):
    """A connector: how it stands, what failed last, and what may be done."""
    connector = connector_or_404(request.user, name)
    now = timezone.now()
    state = queries.state_of(connector, now)
    context = {
        **manage_frame(request, "feeds", connector.name),
        "connector": connector,
        "state": queries.state_words(state),
        "is_failing": state == "failing",
        "error": RULES.get(connector.last_rule, connector.last_rule),
        "lag": queries.ago(now - (connector.last_success_at or connector.created_at)),
        "without_point": queries.without_point(queries.day_of(connector.account_id, now=now)),
        "waiting": DeadLetter.objects.filter(connector=connector, state=LetterState.WAITING).count(),
    }
    return render(request, "incidents/manage/feed.html", context)


def new_feed(request):
    """A connector begins to bring the events of an institution."""
    must_operate(request.user)
    form = NewConnectorForm(request.POST or None, institutions=institutions_in(request.user, MANAGE))

    def act(*, reason, now):
        return actions.add(by=request.user, now=now, reason=reason, **form.cleaned_data)

    return change(
        request,
        form=form,
        act=act,
        done=lambda made: (_("%(name)s is read from now on.") % {"name": made.name}, feed_href(made)),
        title=_("Add a connector"),
        frame=manage_frame(request, "feeds", _("Add a connector")),
        back=reverse("manage-feeds"),
    )


def edit_feed(request, name):
    """What a connector reads, and how."""
    connector = connector_or_404(request.user, name)
    initial = {field: getattr(connector, field) for field in ConnectorForm.Meta.fields}
    form = ConnectorForm(request.POST or None, initial=initial)

    def act(*, reason, now):
        return actions.edit(by=request.user, connector=connector, now=now, reason=reason, **form.cleaned_data)

    return _change(request, connector, form, act, _("Edit %(name)s"), _("The connector is changed."))


def active(request, name):
    """Pause a connector, or let it go on."""
    connector = connector_or_404(request.user, name)
    wanted = not connector.is_active

    def act(*, reason, now):
        return actions.set_active(by=request.user, connector=connector, is_active=wanted, now=now, reason=reason)

    title = _("Let %(name)s go on") if wanted else _("Pause %(name)s")
    done = _("It goes on where it was left.") if wanted else _("It is paused: nothing is read.")
    return _change(request, connector, _no_fields(request), act, title, done, wants_reason=not wanted)


def restart(request, name):
    """Forget where the last pull ended: the source is read from its beginning."""
    connector = connector_or_404(request.user, name)

    def act(*, reason, now):
        return actions.restart(by=request.user, connector=connector, now=now, reason=reason)

    title, done = _("Read %(name)s from its beginning"), _("The source is read from its beginning.")
    return _change(request, connector, _no_fields(request), act, title, done, wants_reason=True)


def _no_fields(request):
    return forms.Form(request.POST if request.method == "POST" else None)


def _change(request, connector, form, act, title, message, *, wants_reason=False):
    title = title % {"name": connector.name}
    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (message, feed_href(connector)),
        title=title,
        frame=manage_frame(request, "feeds", (connector.name, feed_href(connector)), title),
        back=feed_href(connector),
        wants_reason=wants_reason,
    )


@never_cache
def secret(request, name):
    """Give the secret that is sent to the source. It is saved at once: a preview would send it back to the browser."""
    connector = connector_or_404(request.user, name)
    form = SecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_secret(
                by=request.user, connector=connector, secret=form.cleaned_data["secret"], now=timezone.now()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("The secret is kept; it is shown to nobody."))
            return HttpResponseRedirect(feed_href(connector))
    title = _("Secret of %(name)s") % {"name": connector.name}
    context = {
        **manage_frame(request, "feeds", (connector.name, feed_href(connector)), title),
        "form": form, "title": title, "back": feed_href(connector), "button": _("Save"),
        "intro": _("It goes to %(url)s alone, and is forgotten when the host changes.") % {"url": connector.url},
        "fieldsets": [],
    }  # fmt: skip
    return render(request, "units/form.html", context)


@require_POST
def run(request, name):
    """Read the connector now."""
    connector = connector_or_404(request.user, name)
    if connector.is_active:
        actions.run_now(by=request.user, connector=connector, now=timezone.now())
        transaction.on_commit(lambda: pull.ask_for(connector.pk))
        messages.success(request, _("It is read now: look again in a moment."))
    else:
        messages.warning(request, _("It is paused: let it go on first."))
    return HttpResponseRedirect(feed_href(connector))
