"""Changes of who and where. Each keeps the dated tree and today's tree in step, and says by whom."""

from contextlib import contextmanager

import pghistory
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from units import people, permissions
from units.models import Institution, Unit, UnitPeriod, User


@contextmanager
def recorded(*, by, reason=""):
    """One transaction whose changes the history ascribes to this person, with the reason given."""
    with transaction.atomic(), pghistory.context(user=by.pk if by else None, reason=reason):
        yield


def _tree_changed(institution, from_month, now):
    """Cards from this month on are computed again. A loader passes no `now`: it refreshes everything itself."""
    if now is not None:
        import_string(settings.TREE_CHANGED)(institution=institution, from_month=from_month, now=now)


def open_institution(
    *, by, code, short_name, name, name_en="", is_state=False, root, parent=None, from_month, now, reason=""
):
    """An institution and the unit at the head of its tree, `root` a dict of code, name, name_en, territory."""
    with recorded(by=by, reason=reason):
        institution = Institution(code=code, short_name=short_name, name=name, name_en=name_en, is_state=is_state)
        institution.full_clean()
        institution.save()
        try:
            open_unit(
                by=by, institution=institution, parent=parent, from_month=from_month, now=now, reason=reason, **root
            )
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                raise
            raise ValidationError({_of_root(name): found for name, found in error.message_dict.items()}) from error
    return institution


def _of_root(name):
    return "root_code" if name == "code" else name


def rename_institution(*, by, institution, short_name, name, name_en="", reason=""):
    with recorded(by=by, reason=reason):
        institution.short_name, institution.name, institution.name_en = short_name, name, name_en
        institution.full_clean()
        institution.save(update_fields=["short_name", "name", "name_en"])
    return institution


def open_unit(*, by, institution, code, name, name_en="", parent=None, territory=None, from_month, now=None, reason=""):
    """A unit enters the tree in this month, below `parent`, covering `territory`."""
    _must_be_month(from_month, "from_month")
    with recorded(by=by, reason=reason):
        unit = Unit(institution=institution, code=code, name=name, name_en=name_en, parent=parent, territory=territory)
        unit.full_clean(exclude=["path"])
        unit.save()
        unit.path = [*(parent.path if parent else []), unit.pk]
        unit.save(update_fields=["path"])
        _add_period(unit, parent, territory, from_month)
        _tree_changed(institution, from_month, now)
    return unit


def rename_unit(*, by, unit, name, name_en="", reason=""):
    with recorded(by=by, reason=reason):
        unit.name, unit.name_en = name, name_en
        unit.full_clean(exclude=["path"])
        unit.save(update_fields=["name", "name_en"])
    return unit


def move_unit(*, by, unit, parent, territory, from_month, now=None, reason=""):
    """From this month the unit stands below `parent` and covers `territory`; earlier months stay as they were."""
    _must_be_month(from_month, "from_month")
    _must_not_circle(unit, parent, from_month)
    with recorded(by=by, reason=reason):
        current = _open_period(unit)
        if from_month == current.from_month:
            current.delete()
        else:
            current.to_month = from_month
            _save_period(current)
        _add_period(unit, parent, territory, from_month)
        unit.parent, unit.territory = parent, territory
        unit.save(update_fields=["parent", "territory"])
        rebuild_paths(below=unit)
        _tree_changed(unit.institution, from_month, now)
    unit.refresh_from_db()
    return unit


def close_unit(*, by, unit, to_month, now=None, reason=""):
    """The unit stands in the tree up to, not including, this month. Units below must be moved or closed first."""
    _must_be_month(to_month, "to_month")
    below = UnitPeriod.objects.filter(parent=unit).exclude(to_month__lte=to_month).select_related("unit")
    if below:
        names = ", ".join(period.unit.code for period in below[:5])
        raise ValidationError({"to_month": _("Move or close the units below first: %(names)s.") % {"names": names}})
    with recorded(by=by, reason=reason):
        period = _open_period(unit)
        period.to_month = to_month
        _save_period(period)
        _tree_changed(unit.institution, to_month, now)
    return unit


def reopen_unit(*, by, unit, parent, territory, from_month, now=None, reason=""):
    """A closed unit enters the tree again in this month; what lies between stays closed."""
    _must_be_month(from_month, "from_month")
    if unit.periods.filter(to_month=None).exists():
        raise ValidationError(_("%(unit)s is open.") % {"unit": unit})
    _must_not_circle(unit, parent, from_month)
    with recorded(by=by, reason=reason):
        _add_period(unit, parent, territory, from_month)
        unit.parent, unit.territory = parent, territory
        unit.save(update_fields=["parent", "territory"])
        rebuild_paths(below=unit)
        _tree_changed(unit.institution, from_month, now)
    unit.refresh_from_db()
    return unit


def grant_role(*, by, user, role, unit, reason=""):
    """Give a role. Nobody gives more than he holds himself in the unit, and nobody gives himself anything."""
    if problem := people.why_not_grant(by=by, user=user, role=role, unit=unit):
        raise ValidationError({"role": problem})
    with recorded(by=by, reason=reason):
        return permissions.grant(user=user, role=role, unit=unit)


def revoke_role(*, by, user, role, unit, reason=""):
    """Take a role back. A tree is never left without an administrator."""
    problem = people.why_not_grant(by=by, user=user, role=role, unit=unit)
    if problem := problem or people.why_not_lose(user=user, role=role, unit=unit):
        raise ValidationError(problem)
    with recorded(by=by, reason=reason):
        permissions.revoke(user=user, role=role, unit=unit)


def add_person(*, by, username, first_name, last_name, email="", title="", language="", password=None, reason=""):
    """A person without any role yet. Without a password the account cannot sign in until one is set."""
    with recorded(by=by, reason=reason):
        user = User(
            username=username, first_name=first_name, last_name=last_name, email=email, title=title, language=language
        )
        user.set_password(password)
        user.full_clean()
        user.save()
    return user


def edit_person(*, by, user, first_name, last_name, email="", title="", language="", reason=""):
    """Change what an account says of its person. The roles are not among it."""
    _must_be_allowed(people.why_not_change(by=by, user=user))
    with recorded(by=by, reason=reason):
        user.first_name, user.last_name, user.email = first_name, last_name, email
        user.title, user.language = title, language
        user.full_clean(exclude=["password"])
        user.save(update_fields=["first_name", "last_name", "email", "title", "language"])
    return user


def set_active(*, by, user, is_active, reason=""):
    """Whether a person may sign in. The roles stay, for who did what; a tree keeps an administrator who can sign in."""
    _must_be_allowed(people.why_not_change(by=by, user=user))
    if not is_active:
        if by is not None and by.pk == user.pk:
            raise ValidationError(_("Nobody deactivates their own account: ask another administrator."))
        _must_be_allowed(people.why_not_lose(user=user))
    with recorded(by=by, reason=reason):
        user.is_active = is_active
        user.save(update_fields=["is_active"])
    return user


def withdraw_password(*, by, user, reason=""):
    """The old password and all open sessions end; the account waits for its person to choose another by a link."""
    _must_be_allowed(people.why_not_change(by=by, user=user))
    with recorded(by=by, reason=reason):
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _must_be_allowed(problem):
    if problem:
        raise ValidationError(problem)


def rebuild_paths(*, below=None):
    """Today's paths from today's parents, for the whole tree or for a unit and those below it. One statement."""
    anchor = "u.parent_id IS NULL" if below is None else "u.id = %(unit)s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE tree(id, path) AS (
                SELECT u.id, coalesce(p.path, '{{}}') || u.id
                FROM units_unit u LEFT JOIN units_unit p ON p.id = u.parent_id WHERE {anchor}
                UNION ALL
                SELECT u.id, tree.path || u.id FROM units_unit u JOIN tree ON u.parent_id = tree.id
            )
            UPDATE units_unit u SET path = tree.path FROM tree WHERE tree.id = u.id AND u.path <> tree.path
            """,
            {"unit": below.pk if below else None},
        )


def _must_be_month(day, field):
    if day.day != 1:
        raise ValidationError({field: _("A month is given as its first day.")})


def _open_period(unit):
    period = unit.periods.filter(to_month=None).first()
    if period is None:
        raise ValidationError(_("%(unit)s is closed.") % {"unit": unit})
    return period


def _add_period(unit, parent, territory, from_month):
    _save_period(
        UnitPeriod(unit=unit, institution=unit.institution, parent=parent, territory=territory, from_month=from_month)
    )


def _must_not_circle(unit, parent, from_month):
    """In no month from this one on may `parent` stand below the unit: the tree of each month is its own."""
    if parent is None:
        return
    periods = UnitPeriod.objects.exclude(to_month__lte=from_month)
    rows = list(periods.values_list("unit_id", "parent_id", "from_month", "to_month"))
    for month in sorted({from_month, *(row[2] for row in rows if row[2] > from_month)}):
        above = {u: p for u, p, start, end in rows if start <= month and (end is None or month < end) and u != unit.pk}
        here = parent.pk
        while here is not None and here != unit.pk:
            here = above.get(here)
        if here is not None:
            raise ValidationError({"parent": _("%(parent)s lies below %(unit)s.") % {"parent": parent, "unit": unit}})


def _save_period(period):
    if period.to_month and period.to_month <= period.from_month:
        raise ValidationError(
            {"to_month": _("The period would end before it begins, in %(m)s.") % {"m": period.from_month}}
        )
    try:
        with transaction.atomic():
            period.save()
    except IntegrityError as error:
        if "unit_period_one_unit_a_territory" in str(error):
            raise ValidationError(
                {
                    "territory": _("Another unit of %(i)s covers %(t)s in those months.")
                    % {"i": period.institution, "t": period.territory}
                }
            ) from error
        if "unit_period_one_at_a_time" in str(error):
            raise ValidationError(
                {"from_month": _("%(unit)s has overlapping periods.") % {"unit": period.unit}}
            ) from error
        raise
