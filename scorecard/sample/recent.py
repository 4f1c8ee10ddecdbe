"""What institutions' feeds brought in the last thirteen weeks: emergencies and robberies, all of them simulated.

From the first month that these weeks cover whole, the indicators of COUNTED are counted from events. Robberies are
those of the figures, dealt out to days and hours; emergencies are about one in ten of what a real service sees.
"""

from datetime import timedelta

import numpy as np

from scorecard.sample import homicides
from scorecard.sample.counts import ROBBERIES, exposure
from scorecard.sample.territories import country
from scorecard.sample.years import months, stream

WEEKS = 13
ROBBERY_CODES = tuple(f"PN.ROBBERY.{name}" for name in ROBBERIES)
COUNTED = ("PN.HOMICIDES", "PN.HOMICIDERATE", *ROBBERY_CODES, "ECU.SECURITY", "ECU.RESPONSE", "ECU.RESPONSE90")

SERVICES = ("SECURITY", "HEALTH", "TRANSIT", "MUNICIPAL", "FIRE", "MILITARY", "RISK")  # in the order of their codes
CATEGORIES = (*(f"EMERGENCY.{name}" for name in SERVICES), *(f"ROBBERY.{name}" for name in ROBBERIES))
STAGES = ("reported", "received", "answered", "dispatched", "arrived", "closed")
CHOICES = ("channel", "alert_class", "service", "video")

# Times are of the country, NaT where they were not noted; choices are the codes of incidents.models, 0 for not stated.
EVENT = np.dtype(
    [
        ("at", "M8[s]"), ("category", "i2"), ("place", "i4"), ("latitude", "f8"), ("longitude", "f8"),
        *((name, "M8[s]") for name in STAGES), *((name, "i1") for name in CHOICES),
    ]
)  # fmt: skip

A_DAY = 660  # emergencies in the nation
SERVICE_SHARE = np.array([0.66, 0.14, 0.11, 0.035, 0.035, 0.01, 0.01])
CLASS_SHARE = np.array([0.87, 0.05, 0.05, 0.03])  # normal, malicious, enquiry, error
CHANNEL_SHARE = np.array([0.88, 0.06, 0.045, 0.015])  # telephone, video, by hand, panic button
VIDEO_SHARE = np.array([0.91, 0.02, 0.03, 0.04])  # none, prevented, followed, supporting
EMERGENCY_HOURS = np.array(
    [4.1, 3.6, 3.2, 2.8, 2.4, 2.2, 2.4, 2.9, 3.3, 3.6, 3.9, 4.1, 4.3, 4.3, 4.3, 4.4, 4.6, 4.9, 5.4, 5.8, 5.9, 5.6,
     5.2, 4.7]
)  # fmt: skip
EMERGENCY_WEEKDAYS = np.array([0.95, 0.92, 0.92, 0.95, 1.03, 1.13, 1.10])  # Monday first
ROBBERY_HOURS = np.array(
    [2.8, 2.2, 1.8, 1.6, 1.8, 2.8, 4.0, 4.4, 4.2, 4.2, 4.4, 4.5, 4.6, 4.4, 4.4, 4.6, 5.0, 5.6, 6.6, 7.2, 6.8, 5.8,
     4.4, 3.6]
)  # fmt: skip
# Minutes between a stage and the one before it: median, spread (log), and how often the stage was not noted.
ANSWERED = (0.1, 0.6, 0.01)
DISPATCHED = (2.0, 0.7, 0.03)
ARRIVED = (10.2, 0.55, 0.12)
CLOSED = (34.0, 0.6, 0.08)


def starts_on(now):
    """The day on which the thirteen weeks begin."""
    return now.date() - timedelta(weeks=WEEKS)


def since(now) -> np.datetime64:
    """First day of the first month that the thirteen weeks cover whole."""
    day = np.datetime64(starts_on(now))
    month = day.astype("M8[M]")
    return (month if month.astype("M8[D]") == day else month + 1).astype("M8[D]")


def events(now, cubes, years, seed=1) -> np.ndarray:
    """What feeds brought up to now, a time of the country: EVENT rows in order of time. cubes: {code: whole Cube}."""
    days = np.arange(np.datetime64(starts_on(now)), np.datetime64(now.date()) + 1)
    parts = [_emergencies(day, seed) for day in days]
    of_months = [month for month in months(years) if days[0].astype("M8[M]") <= month.astype("M8[M]") <= days[-1]]
    for number, code in enumerate(ROBBERY_CODES, start=len(SERVICES)):
        counted = cubes[code].numerator
        for month in of_months:
            row = int(np.searchsorted(months(years), month))
            parts.append(_robberies(month, number, counted[row].astype(int), seed))
    found = np.concatenate(parts)
    found = found[(found["at"] >= days[0]) & (found["at"] <= np.datetime64(now.replace(tzinfo=None)))]
    return _so_far(found[np.argsort(found["at"], kind="stable")], now)


def _so_far(found, now):
    """Stages that are yet to come have not been noted."""
    for name in STAGES:
        found[name][found[name] > np.datetime64(now.replace(tzinfo=None))] = np.datetime64("NaT")
    return found


def _emergencies(day, seed):
    rng = stream(seed, "emergencies", day)
    here = country()
    size = rng.poisson(A_DAY * EMERGENCY_WEEKDAYS[(int(day.astype(int)) + 3) % 7])
    chance = exposure()
    place = here.subcircuits[rng.choice(len(chance), size, p=chance / chance.sum())]
    service = rng.choice(len(SERVICES), size, p=SERVICE_SHARE)
    out = _placed(rng, place, service, seed)
    out["at"] = _at(rng, day, size, EMERGENCY_HOURS)
    out["service"] = service + 1
    out["alert_class"] = 1 + rng.choice(4, size, p=CLASS_SHARE)
    out["channel"] = 1 + rng.choice(4, size, p=CHANNEL_SHARE)
    is_seen = (out["service"] == 1) & (out["alert_class"] == 1)
    out["video"] = np.where(is_seen, rng.choice(4, size, p=VIDEO_SHARE), 0)
    _stages(rng, out)
    return out


def _stages(rng, out):
    """Times of an answer, each after the one before; nobody is sent where there is no emergency."""
    is_real = out["alert_class"] == 1
    out["reported"] = out["received"] = at = out["at"]
    for name, (median, spread, missing) in (
        ("answered", ANSWERED), ("dispatched", DISPATCHED), ("arrived", ARRIVED), ("closed", CLOSED),
    ):  # fmt: skip
        at = at + (median * 60 * np.exp(rng.normal(0, spread, len(out)))).round().astype("m8[s]")
        is_noted = (rng.random(len(out)) >= missing) & (is_real | (name == "answered"))
        out[name] = np.where(is_noted, at, np.datetime64("NaT"))


def _robberies(month, category, counted, seed):
    """The robberies of a month by subcircuit, (S,), as events: reported some time after they happened."""
    rng = stream(seed, "robbery events", category, month)
    days = np.arange(month, (month.astype("M8[M]") + 1).astype("M8[D]"))
    place = np.repeat(country().subcircuits, counted)
    out = _placed(rng, place, np.full(len(place), category), seed)
    out["at"] = _at(rng, rng.choice(days, len(out)), len(out), ROBBERY_HOURS)
    out["reported"] = out["at"] + (60 * np.exp(rng.normal(np.log(150), 1.2, len(out)))).round().astype("m8[s]")
    return out


def _placed(rng, place, category, seed):
    """Events in places, with a point each where one is known."""
    out = np.zeros(len(place), EVENT)
    out["place"], out["category"] = place, category
    out["latitude"], out["longitude"], _reach = homicides.points(rng, place, seed)
    for name in STAGES:
        out[name] = np.datetime64("NaT")
    return out


def _at(rng, day, size, hours):
    """Times on a day, or on days (R,), by the hours' profile."""
    seconds = 3600 * rng.choice(24, size, p=hours / hours.sum()) + rng.integers(0, 3600, size)
    return day.astype("M8[s]") + seconds.astype("m8[s]")
