"""The frame of the sample without its figures: for a country from files, and beside none that is there."""

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from incidents.models import Incident
from indicators.models import Assignment, Batch, Measurement, SheetVersion, Target
from scorecard import context
from scorecard.models import Plan, PlanLine, PlanStatus
from scorecard.sample import accounts
from scorecard.sample.sheets import SHEETS
from units.models import Boundary, Institution, Level, Population, Territory, Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked_anew():
    context.forget()
    yield
    context.forget()


def test_pages_of_a_site_without_simulated_figures_do_not(asked_anew, client, count_queries):
    assert b'class="simulated"' not in client.get("/accounts/login/").content
    with count_queries() as queries:
        assert not context.simulated(None)["simulated"]
    assert queries == []  # it was asked a moment ago


def test_another_country_is_left_alone(capsys):
    Institution.objects.create(code="PN", name="Policía", short_name="PN")
    for arguments in ([], ["--structure"]):
        with pytest.raises(CommandError):
            call_command("load_sample", *arguments)
    assert not Unit.objects.exists()


def test_the_structure_alone_simulates_nothing_lets_nobody_in_and_uses_what_is_there():
    nation = Territory.objects.create(code="EC", name="República del Ecuador", level=Level.NATION)
    call_command("load_sample", "--structure")
    assert Unit.objects.get(code="PN-EC").territory_id == nation.pk
    assert Territory.objects.get(code="EC").name == "República del Ecuador"
    for model in (Measurement, Target, Incident, Boundary, Population, Batch):
        assert not model.objects.exists(), model
    assert Assignment.objects.values("indicator").distinct().count() == len(SHEETS)
    assert accounts.people().exists()
    assert not [user.username for user in accounts.people() if user.has_usable_password()]
    assert set(Plan.objects.values_list("status", flat=True)) == {PlanStatus.DRAFT}
    assert not PlanLine.objects.filter(Q(no_target_because="") | Q(no_baseline_because="")).exists()
    said = SheetVersion.objects.values_list("numerator_source", "denominator_source")
    assert not [words for words in said if "simulad" in " ".join(words)]
