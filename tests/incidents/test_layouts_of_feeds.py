"""Emergencies, complaints and arrests: one declared layout reads the institution's file and its feed alike."""

import csv
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from incidents import actions, layout
from incidents.feed_layouts import to_items
from incidents.models import AlertClass, Category, Channel, Incident, IncidentKey, Service, Victim, Victimizer, Video
from tests.incidents.conftest import NOW

ZONE = ZoneInfo("America/Guayaquil")
EMERGENCY = {
    "Número incidente": "E-1", "Servicio": "Seguridad Ciudadana", "Subtipo": "Asalto / Robo",
    "Fecha": "17/05/2023 14:05:09", "Codigo Circuito": "9D1C1", "Longitud": "-79,9", "Latitud": "-2,2",
    "Tipo entrada": "Llamada Telefónica", "Tipo alerta": "Normal", "Video": "T2",
    "Recepción": "17/05/2023 14:05:09", "Atención": "2023-05-17T19:05:40Z", "Despacho": "17/05/2023 14:07",
    "Arribo": "17/05/2023 14:15", "Cierre": "S/D",
}  # fmt: skip
COMPLAINT = {
    "NDD": "090101823050001", "Delito": "ROBO", "Desagregación": "Robo de motos", "Fecha incidente": "2023-05-16",
    "Hora incidente": "21:30", "Fecha registro": "2023-05-17 09:00", "Codigo distrito": "09D01", "Sexo": "MUJER",
    "Edad": "31",
}  # fmt: skip
ARREST = {
    "id_detencion": "D-7", "presunta_infraccion": "ROBO", "fecha_detencion_aprehension": "2023-05-17",
    "hora_detencion_aprehension": "22:10", "codigo_subcircuito": "09D01C01S01", "sexo": "HOMBRE", "edad": "24",
    "tipo": "APREHENDIDO", "numero_detenciones": "2", "movilizacion": "A PIE", "presunta_flagrancia": "FLAGRANTE",
}  # fmt: skip
LAYOUTS = {"ecu911-emergencies": EMERGENCY, "fiscalia-complaints": COMPLAINT, "police-arrests": ARREST}


@pytest.fixture
def import_rows(country, tmp_path):
    def import_(name, *rows, **how):
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
        how = {"layout_name": name, "as_of": NOW.date(), "now": NOW, "by": None, "source": country.police} | how
        return actions.import_file(path=path, **how)

    return import_


def category_of(incident):
    return Category.objects.get(pk=incident.category_id).code


@pytest.mark.django_db
def test_an_emergency_has_its_moments_service_channel_class_and_video(import_rows):
    assert import_rows("ecu911-emergencies", EMERGENCY).is_taken
    incident = Incident.objects.get()
    assert category_of(incident) == "EMERGENCY.ROBBERY"
    assert incident.occurred_at.isoformat() == "14:05:09"
    assert incident.received_at == datetime(2023, 5, 17, 19, 5, 9, tzinfo=UTC)
    assert incident.answered_at == datetime(2023, 5, 17, 19, 5, 40, tzinfo=UTC)
    assert incident.arrived_at == datetime(2023, 5, 17, 19, 15, tzinfo=UTC)
    assert (incident.reported_at, incident.closed_at) == (None, None)
    assert (incident.channel, incident.alert_class) == (Channel.PHONE, AlertClass.NORMAL)
    assert (incident.service, incident.video) == (Service.SECURITY, Video.FOLLOWED)
    assert (incident.longitude, incident.latitude) == (-79.9, -2.2)
    assert IncidentKey.objects.get().external_id == "E-1"
    assert not Victim.objects.exists()
    assert not Victimizer.objects.exists()


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing_and_a_later_arrival_is_a_revision(import_rows):
    import_rows("ecu911-emergencies", EMERGENCY)
    again = import_rows("ecu911-emergencies", EMERGENCY)
    assert again.report["outcome"] == {"unchanged": 1, "added": 0, "changed": 0, "removed": 0}
    later = import_rows("ecu911-emergencies", EMERGENCY | {"Arribo": "17/05/2023 14:20"})
    [change] = later.report["revised"]["changed"]
    assert change["facts"] == {"arrived": ["2023-05-17T19:15:00.000000Z", "2023-05-17T19:20:00.000000Z"]}
    assert Incident.objects.get().arrived_at == datetime(2023, 5, 17, 19, 20, tzinfo=UTC)


@pytest.mark.django_db
def test_an_arrival_before_its_call_is_refused_and_strange_words_are_counted(import_rows):
    rows = [
        EMERGENCY | {"Número incidente": "E-2", "Arribo": "17/05/2023 14:01"},
        EMERGENCY | {"Número incidente": "E-3", "Subtipo": "gato en un árbol", "Tipo entrada": "paloma", "Cierre": "?"},
        EMERGENCY | {"Número incidente": "E-4", "Servicio": "Correos"},
    ]
    outcome = import_rows("ecu911-emergencies", *rows, accept_valid=True)
    assert [(r.row, r.field, r.rule) for r in outcome.refused] == [
        (2, "arrived", "time_order"), (4, "category", "category_unknown")
    ]  # fmt: skip
    mended = outcome.report["mended"]
    assert (mended["detail_unknown"], mended["choice_unknown"], mended["stage_unreadable"]) == (1, 1, 1)
    incident = Incident.objects.get()
    assert category_of(incident) == "EMERGENCY.SECURITY"
    assert incident.channel == 0


@pytest.mark.django_db
def test_a_complaint_has_its_victim_and_the_instant_of_its_registration(import_rows):
    import_rows("fiscalia-complaints", COMPLAINT)
    incident = Incident.objects.get()
    assert category_of(incident) == "ROBBERY.MOTORCYCLES"
    assert str(incident.occurred_on) == "2023-05-16"  # the day of the event, not of the register
    assert incident.reported_at == datetime(2023, 5, 17, 14, 0, tzinfo=UTC)
    assert 31 in Victim.objects.get().numbers


@pytest.mark.django_db
def test_an_arrest_has_a_victimizer_and_no_victim(import_rows):
    import_rows("police-arrests", ARREST)
    assert category_of(Incident.objects.get()) == "ARREST.ROBBERY"
    assert {24, 2} <= set(Victimizer.objects.get().numbers)
    assert not Victim.objects.exists()
    import_rows("police-arrests", ARREST | {"edad": "25"})
    assert {25, 2} <= set(Victimizer.objects.get().numbers)


@pytest.mark.django_db
def test_an_arrest_for_what_is_not_listed_is_still_an_arrest(import_rows):
    outcome = import_rows("police-arrests", ARREST | {"presunta_infraccion": "Otra cosa"})
    assert outcome.report["mended"]["category_other"] == 1
    assert category_of(Incident.objects.get()) == "ARREST.OTHER"


def test_rows_of_a_feed_become_items_in_their_own_names():
    [item] = to_items([EMERGENCY], layout.load("ecu911-emergencies"), zone=ZONE)
    assert item == {
        "external_id": "E-1", "category": "EMERGENCY.ROBBERY", "occurred_on": "2023-05-17", "occurred_at": "14:05:09",
        "place": "09D01C01", "longitude": -79.9, "latitude": -2.2, "received_at": "2023-05-17T19:05:09+00:00",
        "answered_at": "2023-05-17T19:05:40+00:00", "dispatched_at": "2023-05-17T19:07:00+00:00",
        "arrived_at": "2023-05-17T19:15:00+00:00", "channel": "phone", "alert_class": "normal", "service": "security",
        "video": "followed",
    }  # fmt: skip
    [item] = to_items([ARREST], layout.load("police-arrests"), zone=ZONE)
    assert item["victimizers"] == [
        {"sex": "HOMBRE", "age": 24.0, "condition": "APREHENDIDO", "earlier_arrests": 2.0, "mobility": "A PIE"}
    ]
    assert item["variables"] == {"environment.flagrancy": "FLAGRANTE"}


def test_what_cannot_be_read_goes_on_as_it_stands():
    broken = EMERGENCY | {"Fecha": "31/02/2023", "Longitud": "79°54'O", "Servicio": "Correos", "Arribo": "pronto"}
    item, other = to_items([broken, 7], layout.load("ecu911-emergencies"), zone=ZONE)
    assert (item["occurred_on"], item["longitude"], item["category"]) == ("31/02/2023", "79°54'O", "Correos")
    assert item["arrived_at"] == "pronto"
    assert other == 7


@pytest.mark.django_db
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_category_of_a_layout_is_in_the_catalogue_under_its_roots(name):
    from incidents.dictionary import ensure, subtree

    ensure()
    form = layout.load(name)
    known = dict(Category.objects.values_list("code", "pk"))
    below = {pk for root in form.roots for pk in subtree(known[root])}
    named = {*form.categories.values(), *form.details.values(), *filter(None, [form.other])}
    assert {code for code in named if known.get(code) not in below} == set()
