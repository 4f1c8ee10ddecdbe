"""Events of this moment, made up one after another, as institutions' systems would send them. Pure: the clock is given.

The emergency service opens an event and says more of it as its answer goes on; the police report robberies and, rarely,
homicides, and sometimes reclassify or take back what they reported.
"""

import heapq
from datetime import datetime, timedelta
from itertools import count

import numpy as np

from scorecard.sample import homicides, recent
from scorecard.sample.counts import ROBBERIES, exposure
from scorecard.sample.institutions import EMERGENCY, POLICE
from scorecard.sample.territories import country

MARK = "SIM"  # every identifier begins with it
ROBBERY_SHARE, HOMICIDE_SHARE = 0.20, 0.02  # of what is new; the rest are emergencies
RECLASSIFIED, RETRACTED = 0.04, 0.04  # of robberies
DIED, TWICE = "La víctima falleció (simulado)", "Registrado dos veces (simulado)"
KINDS = ("HOMICIDE.MURDER", "HOMICIDE.HOMICIDE", "HOMICIDE.FEMICIDE", "HOMICIDE.CONTRACT")  # as homicides.KINDS
CLASSES = ("normal", "malicious", "enquiry", "error")
CHANNELS = ("phone", "video", "manual", "panic_button")
VIDEOS = (None, "prevented", "followed", "supporting")
STAGES = (("answered", recent.ANSWERED), ("dispatched", recent.DISPATCHED), ("arrived", recent.ARRIVED),
          ("closed", recent.CLOSED))  # fmt: skip


class Feed:
    """What comes next. run: tells this run's identifiers from those of others; institutions: whose events there are."""

    def __init__(self, rng, run, institutions=(EMERGENCY, POLICE)):
        self.rng, self.run, self.institutions = rng, run, institutions
        self.number = count(1)
        self.due = []  # heap of (when, order, institution, item) still to be said of events that are known
        chance = exposure()
        self.chance = chance / chance.sum()
        robberies = np.array([totals[-1] for totals in ROBBERIES.values()], float)
        self.robbery_share = robberies / robberies.sum()

    def next(self, now: datetime):
        """(institution, item) of this moment: what is due of a known event, else a new one."""
        if self.due and self.due[0][0] <= now:
            _when, _order, institution, item = heapq.heappop(self.due)
            return institution, item
        draw = self.rng.random()
        is_police = draw < ROBBERY_SHARE + HOMICIDE_SHARE if EMERGENCY in self.institutions else True
        if not is_police or POLICE not in self.institutions:
            return EMERGENCY, self._emergency(now)
        return POLICE, self._homicide(now) if draw % 0.22 < HOMICIDE_SHARE else self._robbery(now)

    def _later(self, when, institution, item):
        heapq.heappush(self.due, (when, next(self.number), institution, item))

    def _new(self, institution, category, at):
        """An item with what all have: where, when, and an identifier that says what it is."""
        place = self.rng.choice(country().subcircuits, p=self.chance)
        latitude, longitude, _reach = homicides.points(self.rng, np.array([place]))
        item = {
            "external_id": f"{MARK}-{institution}-{self.run}-{next(self.number)}", "version": 1, "category": category,
            "occurred": _instant(at), "place": country().places[place].code,
        }  # fmt: skip
        if not np.isnan(longitude[0]):
            item |= {"longitude": float(longitude[0]), "latitude": float(latitude[0])}
        return item

    def _emergency(self, now):
        """A new emergency; the stages of its answer are said when it is time, with all that was said before."""
        rng = self.rng
        service = recent.SERVICES[rng.choice(len(recent.SERVICES), p=recent.SERVICE_SHARE)]
        kind = CLASSES[rng.choice(4, p=recent.CLASS_SHARE)]
        item = self._new(EMERGENCY, f"EMERGENCY.{service}", now) | {
            "reported_at": _instant(now), "received_at": _instant(now), "service": service.lower(),
            "alert_class": kind, "channel": CHANNELS[rng.choice(4, p=recent.CHANNEL_SHARE)],
        }  # fmt: skip
        video = VIDEOS[rng.choice(4, p=recent.VIDEO_SHARE)] if service == "SECURITY" and kind == "normal" else None
        if video:
            item["video"] = video
        said, at = item, now
        for stage, (median, spread, missing) in STAGES:
            at += timedelta(minutes=median * float(np.exp(rng.normal(0, spread))))
            if rng.random() < missing or (kind != "normal" and stage != "answered"):
                continue
            said = {**said, "version": said["version"] + 1, f"{stage}_at": _instant(at)}
            self._later(at, EMERGENCY, said)
        return item

    def _robbery(self, now):
        """A robbery of the last hour; a few are reclassified or taken back within minutes."""
        category = f"ROBBERY.{list(ROBBERIES)[self.rng.choice(len(ROBBERIES), p=self.robbery_share)]}"
        item = self._new(POLICE, category, now - timedelta(minutes=float(self.rng.uniform(3, 60))))
        item |= {"reported_at": _instant(now), "victims": [self._person()]}
        fate, later = self.rng.random(), now + timedelta(minutes=float(self.rng.uniform(2, 8)))
        about = {"external_id": item["external_id"], "version": 2}
        if fate < RECLASSIFIED:
            word = {"action": "reclassify", "category": KINDS[0], "reason": DIED}
            self._later(later, POLICE, about | word)
        elif fate < RECLASSIFIED + RETRACTED:
            self._later(later, POLICE, about | {"action": "retract", "reason": TWICE})
        return item

    def _homicide(self, now):
        kind = self.rng.choice(len(KINDS), p=homicides.KIND_SHARE[-1] / homicides.KIND_SHARE[-1].sum())
        item = self._new(POLICE, KINDS[kind], now - timedelta(minutes=float(self.rng.uniform(10, 60))))
        firearm = self.rng.random() < homicides.FIREARM_SHARE[-1]
        sex = "MUJER" if KINDS[kind].endswith("FEMICIDE") else None
        return item | {
            "variables": {"environment.weapon": homicides.WEAPONS[0 if firearm else 1]},
            "victims": [self._person(sex)],
        }

    def _person(self, sex=None):
        age = int(np.clip(np.exp(self.rng.normal(np.log(30), 0.38)), 0, 95))
        return {"sex": sex or homicides.SEXES[int(self.rng.random() < 0.12)], "age": age}


def _instant(at):
    return at.isoformat(timespec="seconds")
