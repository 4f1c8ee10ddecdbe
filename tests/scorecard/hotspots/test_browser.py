"""The page in a browser: a method is chosen, a cell opened by click and by key, months stepped in place."""

import pytest
from django.core.cache import cache

from tests.factories import small_country

WINDOW = "/hotspots/PN-01D01/?first=2022-03-01&last=2023-12-31&cell=2000&method=gi"


@pytest.fixture
def opened(transactional_db, sign_in, live_server):
    """The page of an analyst, reading in English, on the town's two years."""
    from tests.scorecard.events import categories
    from tests.scorecard.hotspots.town import town

    cache.clear()
    country = small_country(cards=False, months=2)
    town(country, categories()["T.ROBBERY.PERSON"])
    page = sign_in(country.people["analyst"])
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.set_viewport_size({"width": 1280, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(live_server.url + WINDOW)
    yield page
    assert errors == []


def ranks(page):
    """What the cells of the map say, and the rows of the table: (rank, events) of each."""
    said = page.locator("[data-areas] a").evaluate_all("all => all.map(a => a.getAttribute('aria-label'))")
    on_map = [(one.split(":")[0], one.split("events: ")[1].split(",")[0]) for one in said]
    rows = page.locator("#cells tbody tr").evaluate_all(
        "all => all.map(r => [r.cells[0].innerText.trim(), r.cells[2].innerText.trim()])"
    )
    return on_map, [tuple(row) for row in rows]


def test_a_method_is_chosen_and_a_cell_opened_and_the_table_says_the_same(
    opened, axe_violations, outside_requests, live_server
):
    page = opened
    page.select_option("#method", "density")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**method=density**")
    on_map, in_table = ranks(page)
    assert on_map
    assert on_map == in_table
    first = page.locator("[data-areas] a").first
    page.locator("[data-hot] svg").first.scroll_into_view_if_needed()
    box = first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**spot=**")
    events = page.locator(".cell-panel dd").first.inner_text()
    assert events == in_table[0][1]
    assert page.locator("#cell-events tbody tr").count() == min(50, int(events))
    assert axe_violations(page) == []
    assert outside_requests == []


def test_any_cell_opens_at_a_click_and_the_hottest_by_key(opened):
    page = opened
    svg = page.locator("[data-hot] .drawn svg")
    box = svg.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.4)
    page.wait_for_url("**spot=**")
    assert "Cell of 2 km" in page.locator("#cell-title").inner_text()
    page.get_by_role("link", name="Close").click()
    page.wait_for_url(lambda address: "spot=" not in address)
    page.locator("[data-areas] a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**spot=**")
    assert page.locator("#cell-title").is_visible()


def test_months_are_stepped_in_place_by_link_and_key_and_slider(opened):
    page = opened
    page.evaluate("window.kept = true")
    page.locator("[data-step='-1']").click()
    page.wait_for_url("**last=2023-11-30**")
    assert "February 2022 to November 2023" in page.locator("h1").inner_text()
    page.locator("body").press(".")
    page.wait_for_url("**last=2023-12-31**")
    slider = page.locator("#slider")
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_url("**last=2023-11-30**")
    assert page.evaluate("window.kept") is True  # the page was not loaded again
    on_map, in_table = ranks(page)
    assert on_map == in_table


def test_on_a_phone_nothing_goes_beyond_the_screen(opened, axe_violations):
    page = opened
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert page.locator("[data-hot] .drawn svg").is_visible()
    assert axe_violations(page) == []


def test_events_lie_in_circles_that_open_at_a_click(opened, outside_requests, axe_violations):
    page = opened
    page.goto(page.url.replace("method=gi", "method=points"))
    page.locator("[data-points][data-drawn]").wait_for()
    assert page.locator(".is-clustered").count() == 1
    assert not page.locator("[data-hot] .drawn").is_visible()
    zoom = "() => document.querySelector('[data-points]')._fullLayout.map._subplot.map.getZoom()"
    before = page.evaluate(zoom)
    # The place on the screen of a circle that holds several events.
    at = page.wait_for_function(
        """() => {
          const map = document.querySelector('[data-points]')._fullLayout.map._subplot.map;
          const circle = map.queryRenderedFeatures().find(f => f.properties.point_count);
          return circle && map.project(circle.geometry.coordinates);
        }"""
    ).json_value()
    box = page.locator("[data-points]").bounding_box()
    page.mouse.click(box["x"] + at["x"], box["y"] + at["y"])
    page.wait_for_function(f"before => ({zoom})() > before + 1", arg=before)
    assert axe_violations(page) == []
    assert outside_requests == []


def test_without_webgl_the_counted_cells_stay(opened):
    page = opened
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) "
        "{ return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(page.url.replace("method=gi", "method=points"))
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-hot] .drawn svg").is_visible()
    assert page.locator(".is-clustered").count() == 0
