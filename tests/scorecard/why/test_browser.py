"""From a national red light to the incidents behind it in four clicks, on a desk and on a phone."""

import re

import pytest

from tests.scorecard.why.country import counted_country

pytestmark = pytest.mark.django_db(transaction=True)
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def beyond(page):
    """Pixels beyond the screen's width."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_from_a_national_red_light_to_its_incidents_in_four_clicks(sign_in, live_server, axe_violations):
    country = counted_country()
    page = sign_in(country.people["minister"])
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.goto(f"{live_server.url}/units/PN-EC/?month=2023-10")
        line = page.locator("tr", has=page.get_by_role("link", name="Intentional homicides", exact=True)).first
        assert "off target" in line.inner_text()
        clicks = [
            lambda line=line: line.get_by_role("link", name="why?").click(),
            lambda: page.locator(".fall").get_by_role("link", name="Zone 1").click(),
            lambda: page.locator(".fall").get_by_role("link", name=re.compile("Distrito 1")).first.click(),
            lambda: page.get_by_role("link", name="The events behind it").first.click(),
        ]
        for click in clicks:
            click()
            page.wait_for_load_state()
            assert beyond(page) <= 0, (size, page.url)
            assert axe_violations(page) == []
        assert "/incidents/PN-01D0" in page.url
        said = page.locator("h1").inner_text()
        assert re.match(r"\d+ incidents in Distrito 1\.\d, January 2023 to October 2023", said), said
        assert page.locator("#incidents tbody tr").count() > 20
    assert errors == []
