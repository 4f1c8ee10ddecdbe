"""The one question of permission. Nothing else imports guardian.

A role is one guardian permission, held in a unit and so in every unit below it; the verbs of a role live here.
`can(user, Permission.X, unit)` answers for one unit, `Unit.objects.visible_to(user, Permission.X)` for all; one query
each.
"""

from enum import StrEnum
from functools import wraps

from django.contrib.auth.models import Permission as AuthPermission
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from guardian.shortcuts import assign_perm, remove_perm


class Permission(StrEnum):
    VIEW = "view"  # scorecards, sheets, plans
    ENTER = "enter"  # figures of the unit
    APPROVE = "approve"  # figures and plans
    ANALYSE = "analyse"  # incidents one by one
    MANAGE_UNITS = "manage_units"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_PLANS = "manage_plans"  # sheets, assignments, plans, targets
    AUDIT = "audit"  # who changed what
    INTEGRATE = "integrate"  # feeds over REST
    MANAGE_FEEDS = "manage_feeds"  # connectors and dead letters


class Role(models.TextChoices):
    VIEWER = "viewer", _("viewer")
    REPORTER = "reporter", _("reporter")
    APPROVER = "approver", pgettext_lazy("role", "approver")
    ANALYST = "analyst", _("analyst")
    UNIT_ADMINISTRATOR = "unit_administrator", _("unit administrator")
    AUDITOR = "auditor", _("auditor")
    INTEGRATOR = "integrator", _("integrator")
    ADMINISTRATOR = "administrator", _("administrator")


_P = Permission
VERBS = {
    Role.VIEWER: {_P.VIEW},
    Role.REPORTER: {_P.VIEW, _P.ENTER},
    Role.APPROVER: {_P.VIEW, _P.ENTER, _P.APPROVE},
    Role.ANALYST: {_P.VIEW, _P.ANALYSE},
    Role.UNIT_ADMINISTRATOR: {_P.VIEW, _P.MANAGE_UNITS, _P.MANAGE_PEOPLE},
    Role.AUDITOR: {_P.VIEW, _P.AUDIT},
    Role.INTEGRATOR: {_P.VIEW, _P.ENTER, _P.INTEGRATE, _P.MANAGE_FEEDS},
    Role.ADMINISTRATOR: {
        _P.VIEW,
        _P.MANAGE_UNITS,
        _P.MANAGE_PEOPLE,
        _P.MANAGE_PLANS,
        _P.MANAGE_FEEDS,
        _P.APPROVE,
        _P.AUDIT,
    },
}


def roles_with(permission):
    """Guardian's names of the roles that allow it."""
    return [f"hold_{role}" for role, verbs in VERBS.items() if permission in verbs]


def granted_units(user, permission):
    """Array subquery: ids of the units in which a role with this permission is held directly."""
    from units.models import UnitUserObjectPermission

    grants = UnitUserObjectPermission.objects.filter(user_id=user.pk, permission__codename__in=roles_with(permission))
    return ArraySubquery(grants.values("content_object_id"))


def can(user, permission, unit):
    """May the person do this in the unit? True where a role that allows it is held there or above. One query."""
    from units.models import Unit

    if not user.is_active:
        return False
    return Unit.objects.filter(pk=unit.pk).visible_to(user, permission).exists()


def can_anywhere(user, permission):
    """Does the person hold a role with this permission in any unit?"""
    from units.models import UnitUserObjectPermission

    if user.is_superuser:
        return True
    return UnitUserObjectPermission.objects.filter(
        user_id=user.pk, permission__codename__in=roles_with(permission)
    ).exists()


def verbs_in(user, unit):
    """All the permissions that the person has in the unit, in one query (for pages that offer several actions)."""
    from units.models import UnitUserObjectPermission

    if user.is_superuser:
        return set(Permission)
    held = UnitUserObjectPermission.objects.filter(user_id=user.pk, content_object_id__in=unit.path)
    roles = {codename.removeprefix("hold_") for codename in held.values_list("permission__codename", flat=True)}
    return set().union(*(VERBS[Role(role)] for role in roles)) if roles else set()


def roles_of(user):
    """The roles a person holds: list of (role, unit), highest unit first."""
    from units.models import UnitUserObjectPermission

    grants = UnitUserObjectPermission.objects.filter(user_id=user.pk).select_related(
        "permission", "content_object__institution"
    )
    held = [(Role(g.permission.codename.removeprefix("hold_")), g.content_object) for g in grants]
    return sorted(held, key=lambda pair: (len(pair[1].path), pair[1].code, pair[0]))


class NoSuchUnit(Http404):
    """There is no unit of this code that the person may see."""


def unit_or_404(user, permission, code):
    """The unit of this code: not there for people who may not see it, forbidden for those who may but not do this."""
    from units.models import Unit

    unit = Unit.objects.visible_to(user).filter(code=code).select_related("institution", "territory").first()
    if unit is None:
        raise NoSuchUnit(_("There is no unit %(code)s that you may see.") % {"code": code})
    if permission != Permission.VIEW and not can(user, permission, unit):
        raise PermissionDenied(_("Your role does not allow this in %(unit)s.") % {"unit": unit})
    return unit


def shared_by_place(view):
    """A page of a unit's events whose address serves the analysts of every institution that covers the same place.

    Whoever may not analyse in the unit, but may in one of the very same territory, is sent to theirs, the rest of the
    address kept; everybody else gets what the page itself says. So an address tells nothing to who covers none of it.
    """

    @wraps(view)
    def shown(request, code, **kwargs):
        try:
            return view(request, code, **kwargs)
        except (NoSuchUnit, PermissionDenied):
            own = _own_unit_of(request.user, code)
            if own is None:
                raise
            address = reverse(request.resolver_match.view_name, kwargs={**kwargs, "code": own})
            query = request.META["QUERY_STRING"]
            return redirect(f"{address}?{query}" if query else address)

    return shown


def _own_unit_of(user, code):
    """Code of the unit, the highest of several, that covers what another covers and where the person may analyse."""
    from units.models import Unit

    place = Unit.objects.filter(code=code, territory__isnull=False).values("territory")
    own = Unit.objects.visible_to(user, Permission.ANALYSE).filter(territory__in=place).exclude(code=code)
    return own.order_by("path").values_list("code", flat=True).first()


def grant(*, user, role, unit):
    """Give a role in a unit. Callers record who did it: see units.actions.grant_role."""
    return assign_perm(f"hold_{Role(role)}", user, unit)


def revoke(*, user, role, unit):
    remove_perm(f"hold_{Role(role)}", user, unit)


def bulk_grants(pairs):
    """Unsaved grants for (user, role, unit) triples, for bulk loading."""
    from units.models import UnitUserObjectPermission

    permissions = {p.codename: p for p in AuthPermission.objects.filter(codename__startswith="hold_")}
    return [
        UnitUserObjectPermission(user=user, content_object=unit, permission=permissions[f"hold_{role}"])
        for user, role, unit in pairs
    ]
