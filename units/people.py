"""Who may appoint whom: nobody gives more than he holds, nobody changes an account that can do more than his own."""

from collections import defaultdict

from django.contrib.auth.tokens import default_token_generator
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from units.models import Unit, UnitUserObjectPermission, User
from units.permissions import VERBS, Permission, Role, can_anywhere, verbs_in

# Work to which an administrator appoints others without doing it: whoever holds MANAGE_PLANS answers for it there.
WORK = {Permission.ENTER, Permission.ANALYSE, Permission.INTEGRATE}


def may_give(verbs, role):
    """Whether a holder of these verbs in a unit may give, or take, the role there."""
    if Permission.MANAGE_PEOPLE not in verbs:
        return False
    beyond = VERBS[Role(role)] - set(verbs)
    return not beyond or (Permission.MANAGE_PLANS in verbs and beyond <= WORK)


def roles_to_give(by, unit):
    """Roles that the person may give in the unit. One query."""
    verbs = verbs_in(by, unit)
    return [role for role in Role if may_give(verbs, role)]


def why_not_grant(*, by, user, role, unit):
    """The rule that this grant breaks, in words, or None. `by` is None for a loader, who may do all."""
    if by is None or by.is_superuser:
        return None
    if by.pk == user.pk:
        return _("Nobody gives or takes roles of their own: ask another administrator.")
    if not may_give(verbs_in(by, unit), role):
        return _("The role of %(role)s allows more in %(unit)s than you hold there yourself.") % {
            "role": Role(role).label,
            "unit": unit,
        }
    return None


def visible_people(by):
    """People who hold a role where `by` manages people, and those who hold none yet. One query."""
    if by.is_superuser:
        return User.objects.all()
    if not can_anywhere(by, Permission.MANAGE_PEOPLE):
        return User.objects.none()
    grants = UnitUserObjectPermission.objects.filter(user=OuterRef("pk"))
    inside = grants.filter(content_object__in=Unit.objects.visible_to(by, Permission.MANAGE_PEOPLE))
    return User.objects.filter(Q(is_superuser=False), Exists(inside) | ~Exists(grants))


def why_not_change(*, by, user):
    """The rule that forbids `by` to change this account (name, password, whether it may sign in), or None."""
    if by is None or by.is_superuser or by.pk == user.pk:
        return None
    if user.is_superuser:
        return _("Only a superuser changes a superuser's account.")
    for role, unit in held_by([user])[user.pk]:
        if not may_give(verbs_in(by, unit), role):
            return _("%(user)s is %(role)s in %(unit)s, which you may not give or take.") % {
                "user": user,
                "role": role.label,
                "unit": unit,
            }
    return None


def why_not_lose(*, user, role=None, unit=None):
    """Whether a unit would be left without any administrator if the person lost this role, or every role."""
    if role is not None and Role(role) != Role.ADMINISTRATOR:
        return None
    mine = UnitUserObjectPermission.objects.filter(
        user=user, permission__codename=f"hold_{Role.ADMINISTRATOR}"
    ).select_related("content_object")
    for grant in mine.filter(content_object=unit) if unit else mine:
        others = UnitUserObjectPermission.objects.filter(
            permission__codename=f"hold_{Role.ADMINISTRATOR}",
            content_object_id__in=grant.content_object.path,
            user__is_active=True,
        ).exclude(user=user)
        if not others.exists():
            return _("%(unit)s would be left without an administrator: appoint another one first.") % {
                "unit": grant.content_object
            }
    return None


def held_by(users):
    """Roles by person: {user id: [(Role, unit), ...]}, highest unit first. One query."""
    grants = UnitUserObjectPermission.objects.filter(user__in=users).select_related(
        "permission", "content_object__institution"
    )
    held = defaultdict(list)
    for grant in grants:
        held[grant.user_id].append((Role(grant.permission.codename.removeprefix("hold_")), grant.content_object))
    for roles in held.values():
        roles.sort(key=lambda pair: (len(pair[1].path), pair[1].code, pair[0]))
    return held


def holders_in(unit):
    """Grants that reach a unit, its own and those from above: list of (user, Role, unit where held). One query."""
    grants = (
        UnitUserObjectPermission.objects.filter(content_object_id__in=unit.path, user__is_active=True)
        .select_related("permission", "content_object", "user")
        .order_by("user__last_name", "user__username")
    )
    found = [(g.user, Role(g.permission.codename.removeprefix("hold_")), g.content_object) for g in grants]
    return sorted(found, key=lambda row: -len(row[2].path))


def password_path(user):
    """The address, good once and for a few days, at which this person chooses a password."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
