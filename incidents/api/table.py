"""Incidents as CSV: the same columns on every page, named as the feed takes them (victim.1.sex)."""

import csv
import io

from django.utils.translation import gettext as _
from rest_framework.renderers import BaseRenderer

from incidents.models import STAGES, Factor
from incidents.queries import Words, own_institutions
from units.api.errors import of_parameter
from units.tables import FORMULA_STARTS

FACTS = (
    "id", "source", "external_id", "category", "category_name", "occurred_on", "occurred_at", "time_precision",
    "territory", "territory_name", "place_precision", "longitude", "latitude", "drawn_longitude", "drawn_latitude",
    "is_drawn_approximately", *STAGES, "channel", "alert_class", "service", "video",
)  # fmt: skip
PEOPLE = {"victim": Factor.VICTIM, "victimizer": Factor.VICTIMIZER}
MOST_PEOPLE = 20


class CSVRenderer(BaseRenderer):
    """A list that the view made into text."""

    media_type, format, charset = "text/csv", "csv", "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return data.encode()


def people_of(request):
    """How many persons of each kind have columns of their own: `people`, 1 unless asked."""
    given = request.query_params.get("people", "1")
    if not (given.isascii() and given.isdigit() and int(given[:4]) <= MOST_PEOPLE):
        raise of_parameter("people", _("people: a whole number from 0 to %(n)s.") % {"n": MOST_PEOPLE})
    return int(given)


def table(incidents, user, people):
    """Text of a table of incidents as `described` tells them. Columns of reserved variables: for who sees any."""
    own, words = own_institutions(user), Words()
    is_own = own is None or bool(own)
    header = list(FACTS)
    surroundings = words.told(Factor.ENVIRONMENT, is_own)
    header += [f"environment.{key}" for key in surroundings]
    persons = {name: words.told(factor, is_own) for name, factor in PEOPLE.items()}
    for name, keys in persons.items():
        header += [f"{name}s", *(f"{name}.{n}.{key}" for n in range(1, people + 1) for key in keys)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    for one in incidents:
        cells = [one[name] for name in FACTS] + [one["variables"].get(key) for key in surroundings]
        for name, keys in persons.items():
            cells += _persons(one[f"{name}s"], keys, people)
        writer.writerow([_text(cell) for cell in cells])
    return out.getvalue()


def _persons(held, keys, people):
    told = [*held[:people], *({} for _n in range(people - len(held)))]
    return [len(held), *(person.get(key) for person in told for key in keys)]


def _text(cell):
    if cell is None:
        return ""
    text = cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(FORMULA_STARTS) else text
