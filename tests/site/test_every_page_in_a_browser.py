"""Every page, in a real browser, by who may see it: no barrier, no error, nothing from outside, no overflow."""

from pathlib import Path

import axe_playwright_python
import pytest

from tests.site.country import a_file_sent_by, username, whole_country
from tests.site.pages import shown_pages
from units.models import UnitUserObjectPermission
from units.permissions import Role, bulk_grants

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN = """async only => (await axe.run(document, {resultTypes: ["violations"], ...(only && {runOnly: only})})).violations
  .filter(one => ["serious", "critical"].includes(one.impact))
  .flatMap(one => one.nodes.slice(0, 3).map(node => `${one.id}: ${node.target} ${node.failureSummary || ""}`))"""
OVER = """() => {
  const wide = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= wide) return []
  const over = [...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > wide + 1)
  return over.filter(one => ![...one.children].some(child => over.includes(child))).slice(0, 3)
    .map(one => `${one.tagName}.${one.className} ends at ${Math.round(one.getBoundingClientRect().right)} px`)
    .concat(`${document.documentElement.scrollWidth - wide} px beyond the screen`)
}"""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Pages that differ in form, also read in the other language.
IN_ENGLISH = ("home", "scorecard", "indicator", "entry", "plan", "manage-sheet", "manage-person", "audit")


@pytest.fixture
def visitor(transactional_db, sign_in):
    """(country, the browser's page) of someone who may open every page."""
    country = whole_country()
    able = country.people[username(Role.ADMINISTRATOR, "EST-EC")]
    more = [
        (able, role, country.unit("EST-EC")) for role in (Role.APPROVER, Role.AUDITOR, Role.INTEGRATOR, Role.ANALYST)
    ]
    UnitUserObjectPermission.objects.bulk_create(bulk_grants(more))
    country.upload = a_file_sent_by(able)
    return country, sign_in(able)


def faults_of(page, response):
    """What is wrong with the page that stands in the browser: wide and light, wide and dark, narrow."""
    found = [] if response.status in {200, 422} else [f"status {response.status}"]  # 422: a file's faults are the page
    page.evaluate(AXE)
    found += [f"wide {fault}" for fault in page.evaluate(RUN, None)]
    found += [f"wide {fault}" for fault in page.evaluate(OVER)]
    page.emulate_media(color_scheme="dark")
    found += [f"dark {fault}" for fault in page.evaluate(RUN, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(NARROW)
    found += [f"narrow {fault}" for fault in page.evaluate(RUN, None)]
    return found + [f"narrow {fault}" for fault in page.evaluate(OVER)]


def is_error(message):
    """The stream of changes stands before Django, so the server of these tests has none; its own tests read it."""
    return message.type == "error" and "/live/" not in message.location.get("url", "")


def heard(message):
    """(words, the address that they are about): the status of the page itself is looked at on its own."""
    is_status = message.text.startswith("Failed to load resource")
    return message.text, message.location.get("url", "") if is_status else ""


def walk(visitor, names, live_server, language):
    country, page = visitor
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    said, wrong = [], {}
    page.on("console", lambda message: said.append(heard(message)) if is_error(message) else None)
    page.on("pageerror", lambda error: said.append((str(error), "")))
    for name in names:
        said.clear()
        address = live_server.url + shown_pages()[name].address(name, country)
        page.set_viewport_size(WIDE)
        response = page.goto(address)
        faults = faults_of(page, response)
        if page.locator("html").get_attribute("lang") != language:
            faults.append("another language")
        errors = [text for text, of in said if of != address]
        if faults or errors:
            wrong[name] = faults + errors
    return wrong


def test_every_page_is_open_to_everyone_at_both_widths_and_in_both_themes(visitor, live_server, outside_requests):
    assert walk(visitor, shown_pages(), live_server, "es") == {}
    assert outside_requests == []


def test_pages_in_english_are_open_to_everyone(visitor, live_server, outside_requests):
    assert walk(visitor, IN_ENGLISH, live_server, "en") == {}
    assert outside_requests == []
