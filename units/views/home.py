"""The administrator's own page: just what the person may manage."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils.translation import gettext as _

from units.models import Unit
from units.permissions import roles_of
from units.views.frame import manage_frame, section_label, sections_of


def _about(key):
    return {
        "units": _("Open, rename, move and close units; institutions."),
        "territories": _("Codes, population by year, boundaries."),
        "people": _("Accounts, roles in units, password links."),
        "accounts": _("Other systems that speak for an institution, and their tokens."),
        "sheets": _("What is measured and how, in dated versions."),
        "assignments": _("Which indicator is due of which unit, from when."),
        "targets": _("What is promised, month by month."),
        "plans": _("Objectives, weights, lines, approval."),
        "imports": _("Figures, targets and plans from files, looked at before they count."),
        "variables": _("Variables of events with their codes, and categories."),
        "feeds": _("What institutions send: last event, lag, what was refused; connectors."),
        "audit": _("Every change, with its author and its reason."),
    }[key]


def home(request):
    """What the person may manage, and where."""
    sections = [(section_label(key), href, _about(key)) for key, href in sections_of(request.user)]
    if not sections:
        raise PermissionDenied(_("Your roles manage nothing. Ask your unit's administrator."))
    held = [(role.label, unit) for role, unit in roles_of(request.user)]
    context = {
        **manage_frame(request, ""),
        "sections": sections,
        "held": held,
        "units": Unit.objects.visible_to(request.user).count(),
    }
    return render(request, "units/home.html", context)
