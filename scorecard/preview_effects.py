"""What follows from a change beyond its own rows: who gains or loses access, which figures count no more."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scorecard.changes import ADDED, CHANGED, REMOVED, Change, value_words
from units.models import Unit, UnitUserObjectPermission, User
from units.permissions import Role

# Access --------------------------------------------------------------------------------------------------------------


def access_words(found: Iterable[Change]) -> list[str]:
    """Who gains or loses what: by a grant, by an account that opens or closes, by a unit that moves."""
    lines = []
    for change in found:
        if change.model == "UnitUserObjectPermission" and change.kind in (ADDED, REMOVED):
            lines.append(_grant_words(change))
        elif change.model == "User" and change.kind == CHANGED:
            lines += _account_words(change)
        elif change.model == "Unit" and change.kind == CHANGED:
            lines += _moved_words(change)
    return lines


def _grant_words(change: Change) -> str:
    state = change.after or change.before
    unit = Unit.objects.get(pk=state["content_object_id"])
    words = {
        "user": User.objects.get(pk=state["user_id"]),
        "role": _role_of(state["permission_id"]),
        "unit": unit,
        "below": value_words(float(Unit.objects.below(unit).count() - 1)),
    }
    if change.kind == ADDED:
        return _("%(user)s gains the role of %(role)s in %(unit)s and in the %(below)s units below it.") % words
    return _("%(user)s loses the role of %(role)s in %(unit)s and in the %(below)s units below it.") % words


def _role_of(permission_id):
    from django.contrib.auth.models import Permission

    return Role(Permission.objects.get(pk=permission_id).codename.removeprefix("hold_")).label


def _account_words(change: Change) -> list[str]:
    was, now = change.before.get("is_active"), change.after.get("is_active")
    if was == now:
        return []
    user = User.objects.get(pk=change.pk)
    if now:
        return [_("%(user)s may sign in again, with the roles held before.") % {"user": user}]
    return [_("%(user)s can no longer sign in; the roles stay on record.") % {"user": user}]


def _moved_words(change: Change) -> list[str]:
    """People whose roles are held above the old place but not above the new one, and the other way round."""
    old, new = change.before.get("parent_id"), change.after.get("parent_id")
    if old == new:
        return []
    above = {unit.pk: unit.path for unit in Unit.objects.filter(pk__in=[pk for pk in (old, new) if pk])}
    left, entered = set(above.get(old, [])), set(above.get(new, []))
    unit = Unit.objects.get(pk=change.pk)
    lines = []
    for grant in _grants(left - entered):
        lines.append(_("%(user)s (%(role)s in %(where)s) loses sight of %(unit)s.") % _who(grant, unit))
    for grant in _grants(entered - left):
        lines.append(_("%(user)s (%(role)s in %(where)s) now reaches %(unit)s.") % _who(grant, unit))
    return lines


def _grants(units):
    return UnitUserObjectPermission.objects.filter(content_object__in=units, user__is_active=True).select_related(
        "user", "permission", "content_object"
    )


def _who(grant, unit):
    role = Role(grant.permission.codename.removeprefix("hold_")).label
    return {"user": grant.user, "role": role, "where": grant.content_object, "unit": unit}


# Figures -------------------------------------------------------------------------------------------------------------

# Figures of some units, indicators or pairs for which, in their month, the unit does not stand, no sheet holds, or
# nothing is assigned. One statement, because it reads millions of figures by key and answers with three counts.
ORPHANS = """
SELECT count(*) FILTER (WHERE NOT stands), count(*) FILTER (WHERE stands AND NOT has_sheet),
       count(*) FILTER (WHERE stands AND has_sheet AND NOT assigned)
FROM (
    SELECT EXISTS (SELECT FROM units_unitperiod p WHERE p.unit_id = m.unit_id AND p.from_month <= m.month
                   AND (p.to_month IS NULL OR p.to_month > m.month)) AS stands,
           EXISTS (SELECT FROM indicators_sheetversion s WHERE s.indicator_id = m.indicator_id
                   AND s.valid_from <= m.month AND (s.valid_to IS NULL OR s.valid_to > m.month)) AS has_sheet,
           EXISTS (SELECT FROM indicators_assignment a WHERE a.indicator_id = m.indicator_id AND a.unit_id = m.unit_id
                   AND a.from_month <= m.month AND (a.to_month IS NULL OR a.to_month > m.month)) AS assigned
    FROM indicators_measurement m
    WHERE m.unit_id = ANY(%(units)s) OR m.indicator_id = ANY(%(indicators)s)
          OR (m.indicator_id = ANY(%(pair_indicators)s) AND m.unit_id = ANY(%(pair_units)s))
) figures
"""
KINDS = ("closed", "sheet", "assignment")


def figures_touched(found: Iterable[Change]) -> dict[str, list[int]]:
    """Whose figures a change could orphan: units of changed periods, indicators of changed sheets, and the pairs of
    assignments that were changed or removed."""
    keys = {"units": set(), "indicators": set(), "pair_indicators": set(), "pair_units": set()}
    for change in found:
        state = change.after or change.before
        if change.kind == ADDED:
            continue
        if change.model == "UnitPeriod":
            keys["units"].add(state["unit_id"])
        elif change.model == "SheetVersion":
            if change.before.get("valid_to") != change.after.get("valid_to") or change.kind == REMOVED:
                keys["indicators"].add(state["indicator_id"])
        elif change.model == "Assignment":
            keys["pair_indicators"].add(state["indicator_id"])
            keys["pair_units"].add(state["unit_id"])
    return {name: sorted(ids) for name, ids in keys.items()}


def orphans_of(keys: dict[str, list[int]]) -> dict[str, int]:
    """How many figures nothing asks for, by why: {"closed": n, "sheet": n, "assignment": n}."""
    if not any(keys.values()):
        return dict.fromkeys(KINDS, 0)
    with connection.cursor() as cursor:
        cursor.execute(ORPHANS, keys)
        return dict(zip(KINDS, cursor.fetchone(), strict=True))


def orphan_words(after: dict[str, int], before: dict[str, int]) -> list[str]:
    """The figures that would become orphans, by why; they are kept, but no card counts them."""
    lines = []
    for kind in KINDS:
        count = after[kind] - before.get(kind, 0)
        if count > 0:
            lines.append(_orphan_line(kind, count))
    return lines


def _orphan_line(kind, count):
    words = {"n": value_words(float(count))}
    if kind == "closed":
        return (
            ngettext(
                "%(n)s figure stands in months in which its unit would be closed: it is kept, and counts nowhere.",
                "%(n)s figures stand in months in which their unit would be closed: they are kept, and count nowhere.",
                count,
            )
            % words
        )
    if kind == "sheet":
        return (
            ngettext(
                "%(n)s figure stands in months without a sheet: it is kept, and counts nowhere.",
                "%(n)s figures stand in months without a sheet: they are kept, and count nowhere.",
                count,
            )
            % words
        )
    return (
        ngettext(
            "%(n)s figure stands in months in which it would not be assigned: it is kept, and counts nowhere.",
            "%(n)s figures stand in months in which they would not be assigned: they are kept, and count nowhere.",
            count,
        )
        % words
    )
