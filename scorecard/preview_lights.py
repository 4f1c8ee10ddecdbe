"""Which lights a change would turn: the last month is computed again in the transaction that is then taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import OperationalError, connection, transaction
from django.db.models import Max

from indicators.codes import LightBy
from scorecard.components import Band, band_of, card_band
from scorecard.models import Card, Recipe
from scorecard.refresh import Sources, refresh_year
from units.models import Unit

NOTHING = (Band("not_applicable"), None)
CARDS_AT_MOST = 5_000  # of a month: a larger institution is computed by the worker, not while somebody waits


@dataclass(frozen=True)
class LightChange:
    """A light of a unit's card, as it is and as it would be; of the whole card where `indicator` is empty.

    The scores are those behind it, NaN where there is none, None where there is no card."""

    unit: str
    indicator: str
    month: date
    before: Band
    after: Band
    score_before: float | None
    score_after: float | None


def lights_recomputed(marks, now: datetime) -> dict[tuple[int, date], dict[int, tuple]]:
    """Cards as they would be: {(institution id, month): {unit id: card}} of the latest month that the marks reach."""
    found = {}
    for institution, year in sorted({(mark.institution_id, mark.month.year) for mark in marks}):
        first = min(m.month for m in marks if (m.institution_id, m.month.year) == (institution, year))
        month = _latest(institution, first)
        if month is None or any(i == institution and m > month for i, m in found):
            continue
        if _cards(institution, month).count() > CARDS_AT_MOST:
            continue
        found = {key: cards for key, cards in found.items() if key[0] != institution}
        indicators = _columns(marks, institution, year)
        cards = _computed(institution, month, indicators, now)
        if cards is not None:
            found[institution, month] = cards
    return found


def _columns(marks, institution, year):
    ids = [m.indicator_id for m in marks if (m.institution_id, m.month.year) == (institution, year)]
    return None if None in ids else sorted(set(ids))


def _latest(institution, first: date):
    """The latest month of the mark's year with cards, from the mark on."""
    months = [date(first.year, month, 1) for month in range(first.month, 13)]
    return _cards(institution, months).aggregate(last=Max("month"))["last"]


def _cards(institution, month):
    months = month if isinstance(month, list) else [month]
    return Card.objects.filter(institution_id=institution, month__in=months)


def _computed(institution, month, indicators, now):
    """The cards of the month computed anew inside this transaction; None where a worker holds them."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            refresh_year(
                sources=Sources(),
                institution_id=institution,
                year=month.year,
                first=month.month - 1,
                last=month.month,
                now=now,
                indicators=indicators,
            )
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError:
        return None
    return _lights(institution, month)


def _lights(institution, month):
    """What each card shows: {unit id: {"" or an indicator's code: (band, figure behind it)}}."""
    rows = _cards(institution, month).values(
        "unit_id",
        "recipe_id",
        "light",
        "is_provisional",
        "has_red",
        "score",
        "marks",
        "attainment",
        "to_date_marks",
        "to_date_attainment",
    )
    cards = list(rows)
    structures = Recipe.objects.in_bulk({card["recipe_id"] for card in cards})
    return {card["unit_id"]: _shown(card, structures[card["recipe_id"]].structure) for card in cards}


def _shown(card, structure):
    overall = card_band(card["light"], provisional=card["is_provisional"], has_red=card["has_red"])
    shown = {"": (overall, card["score"])}
    for line in structure["lines"]:
        place = line["position"]
        prefix = "" if line["light_by"] == LightBy.MONTH else "to_date_"
        if place < len(card[f"{prefix}marks"]):
            shown[line["code"]] = (band_of(card[f"{prefix}marks"][place]), card[f"{prefix}attainment"][place])
    return shown


def changed_lights(recomputed) -> list[LightChange]:
    """The lights that turn between the cards that stand now and those recomputed, whole cards before their lines."""
    found = []
    for (institution, month), after in recomputed.items():
        before = _lights(institution, month)
        units = Unit.objects.in_bulk(after.keys() | before.keys())
        for pk in sorted(units, key=lambda pk: (len(units[pk].path), units[pk].code)):
            found += _turned(units[pk], month, before.get(pk, {}), after.get(pk, {}))
    return sorted(found, key=lambda light: light.indicator != "")


def _turned(unit, month, before, after):
    for indicator in dict.fromkeys([*after, *before]):
        was, now = before.get(indicator, NOTHING), after.get(indicator, NOTHING)
        if was[0].name != now[0].name:
            yield LightChange(f"{unit.code} {unit}", indicator, month, was[0], now[0], was[1], now[1])
