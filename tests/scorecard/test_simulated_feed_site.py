"""The simulated feed against a site: its events come in, and it ends where its token opens nothing."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from incidents.models import IncidentKey
from scorecard import engines
from scorecard.sample import load, structure
from scorecard.sample.institutions import EMERGENCY
from units import tokens
from units.permissions import Role

NOW = timezone.now()


@pytest.mark.django_db(transaction=True)
def test_it_posts_to_a_site_and_a_token_that_opens_nothing_ends_it(live_server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    with load.unwatched("test"):
        bodies = structure.add_units(structure.add_places())
        structure.ensure()
    account = tokens.add_account(
        by=None, institution=bodies[EMERGENCY], username="feed.ecu", name="Feed", role=Role.INTEGRATOR
    )
    token, plain = tokens.issue(by=None, account=account, name="t", expires_at=NOW + timedelta(days=1), now=NOW)
    engines.write_private(tmp_path / "run" / "feeds" / f"{EMERGENCY}.token", plain)
    call_command("simulate_feed", url=live_server.url, rate=1000, count=5, seed=1)
    assert IncidentKey.objects.filter(source=bodies[EMERGENCY]).count() == 5
    assert capsys.readouterr().out == ""  # nothing was refused
    tokens.revoke(by=None, token=token, now=timezone.now())
    with pytest.raises(CommandError, match="revoked_token"):
        call_command("simulate_feed", url=live_server.url, rate=1000, count=1)
