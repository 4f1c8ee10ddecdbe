"""The sample's incidents: victims, one each, as the Ministry's file would give them, and what feeds brought.

All of it is simulated; each source's are a publication, which hangs on the sample's batch.
"""

import numpy as np
from django.db import connection

from incidents import accounts, layout, store
from incidents.dictionary import Dictionary
from incidents.models import Category, PlacePrecision, Publication, TimePrecision
from incidents.parse import NO_TIME, Coded, Parsed
from scorecard.sample import homicides, recent, territories
from units.models import Territory
from units.pgcopy import Column, copy_in

LAYOUT = "mdi-homicides"
FEED = "feed"
CATEGORIES = ["HOMICIDE.MURDER", "HOMICIDE.HOMICIDE", "HOMICIDE.FEMICIDE", "HOMICIDE.CONTRACT"]  # as homicides.KINDS
CATALOGUES = {
    "environment.weapon": ("weapon", homicides.WEAPONS),
    "environment.presumed_motive": ("motive", homicides.MOTIVES),
    "environment.area": ("area", homicides.AREAS),
    "environment.kind_of_place": ("setting", homicides.SETTINGS),
    "victim.sex": ("sex", homicides.SEXES),
}


def publish(victims, *, batch, source, now):
    """Write the victims (homicides.VICTIM) as one publication of this source. Returns it."""
    book, dictionary = accounts.gazetteer(), Dictionary()
    rows = parsed(victims)
    places = accounts.place(rows, layout.load(LAYOUT), book, now.date())
    if rows.refused:
        raise ValueError(f"a place of the sample is not known: {rows.refused[0]}")
    found = accounts.build(rows, places, book, dictionary)
    found.ids = store.new_ids(len(found))
    publication = _publication(LAYOUT, source, victims["date"], batch=batch, now=now)
    store.insert(found, source=source.pk, publication=publication.pk)
    dictionary.save()
    return publication


def _publication(name, source, days, *, batch, now):
    first, last = (day.astype("M8[M]") for day in (days.min(), days.max()))
    return Publication.objects.create(
        layout=name, source=source, name=territories.SOURCE_SIMULATED, sha256="", from_month=first.item(),
        to_month=(last + 1).item(), at=now, rows=len(days), repeated=0, refused=0, unchanged=0, added=len(days),
        changed=0, removed=0, batch=batch,
    )  # fmt: skip


def bring(events, *, batch, source, now):
    """Write what a source's feed brought (recent.EVENT), each with an identifier. now: a time of the country."""
    days = events["at"].astype("M8[D]")
    publication = _publication(FEED, source, days, batch=batch, now=now)
    codes = dict(Category.objects.values_list("code", "pk"))
    places = dict(Territory.objects.values_list("code", "pk"))
    ids = np.array([places[place.code] for place in territories.country().places])
    seconds = (events["at"] - days).astype(np.int64)
    no_point = np.isnan(events["longitude"])
    columns = {
        "id": Column("int8", store.new_ids(len(events))),
        "source_id": Column("int4", source.pk),
        "publication_id": Column("int4", publication.pk),
        "occurred_on": Column("date", days),
        "occurred_at": Column("int8", seconds * 1_000_000),  # as COPY has a time: microseconds of the day
        "time_precision": Column("int2", TimePrecision.SECOND),
        "category_id": Column("int4", np.array([codes[code] for code in recent.CATEGORIES])[events["category"]]),
        "territory_id": Column("int4", ids[events["place"]]),
        "place_precision": Column("int2", np.where(no_point, PlacePrecision.SUBCIRCUIT, PlacePrecision.POINT)),
        "longitude": Column("float8", events["longitude"], no_point),
        "latitude": Column("float8", events["latitude"], no_point),
        **{f"{name}_at": _instant(events[name], now) for name in recent.STAGES},
        **{name: Column("int2", events[name]) for name in recent.CHOICES},
    }
    with connection.cursor() as cursor:
        copy_in(cursor, "incidents_incident", list(columns), list(columns.values()), len(events))
        cursor.execute(KEYS, [str(source.code), publication.pk, days.min().item(), days.max().item()])
    return publication


KEYS = """
INSERT INTO incidents_incidentkey (source_id, external_id, incident_id, occurred_on)
SELECT source_id, %s || '-' || id, id, occurred_on FROM incidents_incident
WHERE publication_id = %s AND occurred_on BETWEEN %s AND %s
"""


def _instant(times, now):
    """Times of the country as COPY has instants: microseconds since the year 2000 in UTC."""
    offset = np.timedelta64(int(now.utcoffset().total_seconds()), "s")
    since = (times - offset - np.datetime64("2000-01-01T00:00:00")).astype("m8[us]").astype(np.int64)
    return Column("int8", since, np.isnat(times))


def parsed(victims):
    """Victims as the rows of a file that has been read: codes by label, NaN and -1 for what is not stated."""
    codes = [place.code for place in territories.country().places]
    hours, minutes = victims["hour"].astype(np.int64), victims["minute"].astype(np.int64)
    variables = {
        field: Coded(list(labels), victims[name].astype(np.int64)) for field, (name, labels) in CATALOGUES.items()
    }
    variables["victim.age"] = np.where(victims["age"] < 0, np.nan, victims["age"])
    return Parsed(
        rows=np.arange(1, len(victims) + 1),
        category=Coded(CATEGORIES, victims["kind"].astype(np.int64)),
        days=victims["date"],
        seconds=np.where(hours < 0, NO_TIME, hours * 3600 + minutes * 60),
        place=Coded(codes, victims["place"].astype(np.int64)),
        longitude=victims["longitude"],
        latitude=victims["latitude"],
        variables=variables,
        ids=None,
        fields={"time", "longitude", "latitude", *variables},
        read=len(victims),
    )
