"""What stands around an administrator's page: the sections that the person may manage, and where the page is."""

from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from units.permissions import VERBS, Permission, roles_of


class Link(NamedTuple):
    label: str
    href: str
    is_current: bool = False
    note: str = ""


class Crumb(NamedTuple):
    label: str
    href: str = ""
    siblings: tuple = ()


# Section: (key, name of its address, permission that opens it).
SECTIONS = (
    ("units", "manage-units", Permission.MANAGE_UNITS),
    ("territories", "manage-territories", Permission.MANAGE_UNITS),
    ("people", "manage-people", Permission.MANAGE_PEOPLE),
    ("accounts", "manage-accounts", Permission.MANAGE_PEOPLE),
    ("sheets", "manage-sheets", Permission.MANAGE_PLANS),
    ("assignments", "manage-assignments", Permission.MANAGE_PLANS),
    ("targets", "manage-targets", Permission.MANAGE_PLANS),
    ("plans", "manage-plans", Permission.MANAGE_PLANS),
    ("imports", "imports", Permission.MANAGE_PLANS),
    ("variables", "manage-variables", Permission.MANAGE_PLANS),
    ("feeds", "manage-feeds", Permission.MANAGE_FEEDS),
    ("audit", "audit", Permission.AUDIT),
)


def section_label(key):
    return {
        "units": _("Units"),
        "territories": _("Territories"),
        "people": _("People"),
        "accounts": _("Service accounts"),
        "sheets": _("Indicator sheets"),
        "assignments": _("Assignments"),
        "targets": _("Targets"),
        "plans": _("Plans"),
        "imports": _("Imports"),
        "variables": _("Dictionary"),
        "feeds": _("Feeds"),
        "audit": _("Who changed what"),
    }[key]


def verbs_anywhere(user):
    """Every permission that the person holds in some unit. One query."""
    if user.is_superuser:
        return set(Permission)
    return set().union(*(VERBS[role] for role, _unit in roles_of(user)))


def sections_of(user):
    """Keys and addresses of what the person may manage."""
    verbs = verbs_anywhere(user)
    return [(key, reverse(name)) for key, name, permission in SECTIONS if permission in verbs]


def manage_frame(request, section, *crumbs):
    """Context of a page of management: tabs of the sections, and the way back."""
    nav = [Link(section_label(key), href, key == section) for key, href in sections_of(request.user)]
    trail = [Crumb(_("Administration"), reverse("manage"))]
    if section:
        name = next(name for key, name, _permission in SECTIONS if key == section)
        trail.append(Crumb(section_label(section), reverse(name)))
    trail += [Crumb(crumb) if isinstance(crumb, str) else Crumb(*crumb) for crumb in crumbs]
    return {"nav_items": nav, "crumbs": trail}
