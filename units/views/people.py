"""Pages of people and grants: accounts, roles in units, and the link by which a person chooses a password."""

import logging

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from units import actions
from units.forms.people import GrantForm, NewPersonForm, PersonForm
from units.models import UnitUserObjectPermission, User
from units.people import held_by, may_give, password_path, visible_people, why_not_change
from units.permissions import Permission, Role, can, can_anywhere, unit_or_404, verbs_in
from units.tables import Cell, Column, Table, respond_with
from units.views.change import change
from units.views.frame import manage_frame

PAGE = 100
MANAGE = Permission.MANAGE_PEOPLE
logger = logging.getLogger(__name__)


def _must_manage(user):
    if not can_anywhere(user, MANAGE):
        raise PermissionDenied(_("Your role does not allow this."))


def person_or_404(by, username):
    """A person that `by` may see: not there for others."""
    _must_manage(by)
    found = visible_people(by).filter(username=username).first()
    if found is None:
        raise Http404(_("There is no person %(name)s that you may see.") % {"name": username})
    return found


def _changeable_or_403(by, username):
    user = person_or_404(by, username)
    if problem := why_not_change(by=by, user=user):
        raise PermissionDenied(problem)
    return user


def person_href(user):
    return reverse("manage-person", args=[user.username])


# Lists ---------------------------------------------------------------------------------------------------------------


def people(request):
    """People who hold a role where the person manages people, by name, role and unit."""
    _must_manage(request.user)
    query, role = request.GET.get("q", "").strip(), request.GET.get("role", "")
    found = visible_people(request.user).order_by("last_name", "first_name", "username")
    for word in query.split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(username__icontains=word)
            | Q(title__icontains=word)
        )
    found = _with_role(found, role)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    table = _people_table(list(found if request.GET.get("format") else page), query)
    if (file := respond_with(table, request)) is not None:
        return file
    rest = request.GET.copy()
    rest.pop("page", None)
    context = {
        **manage_frame(request, "people"),
        "q": query,
        "role": role,
        "roles": Role.choices,
        "table": table.offered_at(request),
        "page": page,
        "query": rest.urlencode(),
    }
    return render(request, "units/people.html", context)


def _with_role(found, role):
    if role == "none":
        return found.filter(~Exists(UnitUserObjectPermission.objects.filter(user=OuterRef("pk"))))
    if role in Role.values:
        return found.filter(
            Exists(UnitUserObjectPermission.objects.filter(user=OuterRef("pk"), permission__codename=f"hold_{role}"))
        )
    return found


def _people_table(found, query):
    held = held_by(found)
    columns = [
        Column("name", _("Person")),
        Column("username", _("Signs in as")),
        Column("title", _("Post")),
        Column("roles", _("Roles")),
        Column("state", _("State")),
        Column("last", _("Last signed in"), "date", narrow="hide"),
    ]
    rows = [
        [
            Cell(str(user), person_href(user)),
            user.username,
            user.title,
            ", ".join(f"{role.label} ({unit.code})" for role, unit in held.get(user.pk, [])),
            _("active") if user.is_active else _("inactive"),
            user.last_login,
        ]
        for user in found
    ]
    notes = [(_("Search"), query)] if query else []
    return Table(_("People"), columns, rows, notes, id="people", name="people", empty=_("Nobody is called so here."))


def person(request, username):
    """A person: the account, the roles held, and what may be changed."""
    user = person_or_404(request.user, username)
    grants = [
        {
            "role": role,
            "unit": unit,
            "may_take": request.user.is_superuser
            or (user.pk != request.user.pk and may_give(verbs_in(request.user, unit), role)),
        }
        for role, unit in held_by([user]).get(user.pk, [])
        if can(request.user, MANAGE, unit)
    ]
    elsewhere = len(held_by([user]).get(user.pk, [])) - len(grants)
    context = {
        **manage_frame(request, "people", (str(user), person_href(user))),
        "person": user,
        "grants": grants,
        "elsewhere": elsewhere,
        "why_not": why_not_change(by=request.user, user=user) or "",
        "is_self": user.pk == request.user.pk,
    }
    return render(request, "units/person.html", context)


# Accounts ------------------------------------------------------------------------------------------------------------


def new_person(request):
    """A new account with its first role."""
    _must_manage(request.user)
    unit = unit_or_404(request.user, MANAGE, request.GET["in"]) if request.GET.get("in") else None
    form = NewPersonForm(request.POST or None, by=request.user, initial={"unit": unit})
    form.order_fields(["first_name", "last_name", "title", "email", "username", "language", "role", "unit"])

    def act(*, reason, now):
        given = dict(form.cleaned_data)
        role, where = given.pop("role"), given.pop("unit")
        with actions.recorded(by=request.user, reason=reason):
            user = actions.add_person(by=request.user, **given, reason=reason)
            actions.grant_role(by=request.user, user=user, role=role, unit=where, reason=reason)
        return user

    def done(user):
        return _("%(user)s has an account. Give out the password link next.") % {"user": user}, person_href(user)

    return change(
        request,
        form=form,
        act=act,
        done=done,
        title=_("Add a person"),
        frame=manage_frame(request, "people", _("Add a person")),
        back=reverse("manage-people"),
    )


def edit_person(request, username):
    """What an account says of its person."""
    user = _changeable_or_403(request.user, username)
    form = PersonForm(request.POST or None, instance=User.objects.get(pk=user.pk))

    def act(*, reason, now):
        fresh = User.objects.get(pk=user.pk)
        return actions.edit_person(by=request.user, user=fresh, **form.cleaned_data, reason=reason)

    return _change_person(request, user, form, act, _("Edit %(user)s") % {"user": user}, _("The account is changed."))


def set_active(request, username):
    """Whether a person may sign in."""
    user = _changeable_or_403(request.user, username)
    wanted = not user.is_active
    title = _("Let %(user)s sign in again") if wanted else _("Deactivate %(user)s")

    def act(*, reason, now):
        fresh = User.objects.get(pk=user.pk)
        return actions.set_active(by=request.user, user=fresh, is_active=wanted, reason=reason)

    message = _("The account is active.") if wanted else _("The account is inactive; its open sessions have ended.")
    form = forms.Form(request.POST if request.method == "POST" else None)
    return _change_person(request, user, form, act, title % {"user": user}, message, wants_reason=not wanted)


def _change_person(request, user, form, act, title, message, *, wants_reason=False):
    return change(
        request,
        form=form,
        act=act,
        done=lambda _made: (message, person_href(user)),
        title=title,
        frame=manage_frame(request, "people", (str(user), person_href(user)), title),
        back=person_href(user),
        wants_reason=wants_reason,
    )


@never_cache
def password_link(request, username):
    """A link, shown once to the administrator, by which the person chooses a password. The old one ends at once."""
    user = _changeable_or_403(request.user, username)
    if user.pk == request.user.pk:
        raise PermissionDenied(_("Change your own password on your own page."))
    frame = manage_frame(request, "people", (str(user), person_href(user)), _("Password link"))
    context = {**frame, "person": user, "link": ""}
    if request.method == "POST":
        try:
            actions.withdraw_password(by=request.user, user=user)
        except ValidationError as error:
            raise PermissionDenied(error.messages[0]) from error
        logger.info("password link user=%s by=%s", user.pk, request.user.pk)
        context["link"] = request.build_absolute_uri(password_path(user))
    return render(request, "units/password_link.html", context)


# Grants --------------------------------------------------------------------------------------------------------------


def grant(request, username):
    """A role for a person in a unit."""
    user = person_or_404(request.user, username)
    unit = unit_or_404(request.user, MANAGE, request.GET["in"]) if request.GET.get("in") else None
    form = GrantForm(request.POST or None, by=request.user, initial={"unit": unit})

    def act(*, reason, now):
        return actions.grant_role(by=request.user, user=user, **form.cleaned_data, reason=reason)

    return _change_person(request, user, form, act, _("Give %(user)s a role") % {"user": user}, _("The role is given."))


def revoke(request, username, role, code):
    """Take a role back."""
    user = person_or_404(request.user, username)
    unit = unit_or_404(request.user, MANAGE, code)
    if not UnitUserObjectPermission.objects.filter(
        user=user, content_object=unit, permission__codename=f"hold_{role}"
    ).exists():
        raise Http404(_("%(user)s does not hold this role here.") % {"user": user})

    def act(*, reason, now):
        return actions.revoke_role(by=request.user, user=user, role=role, unit=unit, reason=reason)

    words = {"user": user, "role": Role(role).label, "unit": unit}
    return _change_person(
        request,
        user,
        forms.Form(request.POST if request.method == "POST" else None),
        act,
        _("Take the role of %(role)s in %(unit)s from %(user)s") % words,
        _("The role is taken back."),
        wants_reason=True,
    )
