"""Pages of service accounts: which systems speak for an institution, and the tokens by which they do."""

import logging

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, Q
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from units import tokens
from units.access import institution_or_404, institutions_in, root_of
from units.forms.accounts import NewAccountForm, TokenForm
from units.models import User
from units.people import held_by, why_not_change
from units.permissions import Permission, can_anywhere
from units.tables import Cell, Column, Table, respond_with
from units.views.change import add_errors, change
from units.views.frame import manage_frame

PAGE = 100
MANAGE = Permission.MANAGE_PEOPLE
logger = logging.getLogger(__name__)


def _must_manage(user):
    if not can_anywhere(user, MANAGE):
        raise PermissionDenied(_("Your role does not allow this."))


def _account_or_404(by, username):
    """A service account, asked at the head of its institution."""
    account = User.objects.filter(username=username).exclude(institution=None).select_related("institution").first()
    if account is None:
        raise Http404(_("There is no service account %(name)s that you may see.") % {"name": username})
    institution_or_404(by, MANAGE, account.institution.code)
    return account


def _changeable_or_403(by, username):
    account = _account_or_404(by, username)
    if problem := why_not_change(by=by, user=account):
        raise PermissionDenied(problem)
    return account


def account_href(account):
    return reverse("manage-account", args=[account.username])


def accounts(request):
    """Service accounts of the institutions whose people the person manages as a whole."""
    _must_manage(request.user)
    query, now = request.GET.get("q", "").strip(), timezone.now()
    found = _listed(institutions_in(request.user, MANAGE), now)
    for word in query.split():
        found = found.filter(
            Q(username__icontains=word) | Q(first_name__icontains=word) | Q(institution__code__iexact=word)
        )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    table = _accounts_table(list(found if request.GET.get("format") else page), query)
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **manage_frame(request, "accounts"),
        "q": query,
        "table": table.offered_at(request),
        "page": page,
        "query": rest.urlencode(),
    }
    return render(request, "units/accounts.html", context)


def _listed(institutions, now):
    """Accounts with what is shown of their tokens. One query."""
    live = Q(tokens__revoked_at=None, tokens__expires_at__gt=now)
    held = User.objects.filter(institution__in=institutions).select_related("institution")
    return held.annotate(
        live=Count("tokens", filter=live),
        last_used=Max("tokens__last_used_at"),
        next_end=Min("tokens__expires_at", filter=live),
    ).order_by("institution__code", "username")


def _accounts_table(found, query):
    held = held_by(found)
    columns = [
        Column("username", _("Account")),
        Column("institution", _("Institution")),
        Column("name", _("What it is")),
        Column("roles", _("Roles")),
        Column("tokens", _("Live tokens"), "number", 0),
        Column("end", _("Next one ends"), "date"),
        Column("last", _("Last used"), "date"),
        Column("state", _("State"), narrow="hide"),
    ]
    rows = [
        [
            Cell(account.username, account_href(account)),
            account.institution.code,
            account.first_name,
            ", ".join(f"{role.label} ({unit.code})" for role, unit in held.get(account.pk, [])),
            account.live,
            account.next_end,
            account.last_used,
            _("active") if account.is_active else _("inactive"),
        ]
        for account in found
    ]
    notes = [(_("Search"), query)] if query else []
    empty = _("No other system speaks for your institutions yet: add a service account.")
    return Table(_("Service accounts"), columns, rows, notes, id="accounts", name="service-accounts", empty=empty)


def account(request, username):
    """A service account: what it may do, and its tokens with all that became of them."""
    found, now = _account_or_404(request.user, username), timezone.now()
    held = [
        {"token": token, "state": tokens.state_of(token, now)}
        for token in found.tokens.select_related("created_by").order_by("-created_at", "-pk")
    ]
    context = {
        **manage_frame(request, "accounts", (found.username, account_href(found))),
        "account": found,
        "roles": held_by([found]).get(found.pk, []),
        "tokens": held,
        "live": sum(one["state"] == "live" for one in held),
        "why_not": why_not_change(by=request.user, user=found) or "",
    }
    return render(request, "units/account.html", context)


def new_account(request):
    """A service account with its role."""
    _must_manage(request.user)
    form = NewAccountForm(request.POST or None, by=request.user)

    def act(*, reason, now):
        given = form.cleaned_data
        if root_of(given["institution"]) is None:
            raise ValidationError(_("The institution has no unit yet."))
        return tokens.add_account(by=request.user, **given, reason=reason)

    def done(made):
        return _("%(account)s may speak for its institution. Issue a token next.") % {"account": made.username}, (
            account_href(made)
        )

    return change(
        request,
        form=form,
        act=act,
        done=done,
        title=_("Add a service account"),
        frame=manage_frame(request, "accounts", _("Add a service account")),
        back=reverse("manage-accounts"),
    )


@never_cache
def issue(request, username):
    """A new token, shown once."""
    found = _changeable_or_403(request.user, username)
    form = TokenForm(request.POST or None)
    title = _("Issue a token for %(account)s") % {"account": found.username}
    frame = manage_frame(request, "accounts", (found.username, account_href(found)), title)
    context = {**frame, "account": found, "form": form, "title": title, "back": account_href(found), "plain": ""}
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            token, plain = tokens.issue(
                by=request.user,
                account=found,
                name=form.cleaned_data["name"],
                expires_at=form.expires_at(now),
                now=now,
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            logger.info("token issued account=%s token=%s by=%s", found.pk, token.pk, request.user.pk)
            context |= {"plain": plain, "token": token}
    return render(request, "units/account_token.html", context)


def revoke(request, username, pk):
    """End a token now."""
    found = _changeable_or_403(request.user, username)
    token = found.tokens.filter(pk=pk).first()
    if token is None:
        raise Http404(_("There is no such token."))
    title = _("Revoke the token %(prefix)s… (%(name)s)") % {"prefix": token.prefix, "name": token.name}

    def act(*, reason, now):
        if token.revoked_at is not None:
            raise ValidationError(_("This token has been revoked."))
        return tokens.revoke(by=request.user, token=found.tokens.get(pk=pk), now=now, reason=reason)

    return change(
        request,
        form=forms.Form(request.POST if request.method == "POST" else None),
        act=act,
        done=lambda _made: (_("The token is revoked: it opens nothing from now on."), account_href(found)),
        title=title,
        frame=manage_frame(request, "accounts", (found.username, account_href(found)), title),
        back=account_href(found),
        wants_reason=True,
    )
