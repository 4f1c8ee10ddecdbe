"""The large map in a browser: months slide and play in place, two maps move together, a place comes into view."""

import pytest

from tests.factories import small_country

PAGE = "/map/PN-EC/?month=2023-10&steps=2&by=PN.HOMICIDES&span=month&classes=quantile"


@pytest.fixture
def opened(transactional_db, sign_in, live_server):
    country = small_country()
    page = sign_in(country.people["minister"])
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.set_viewport_size({"width": 1280, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(live_server.url + PAGE)
    yield page
    assert errors == []


def labels(page, which="map"):
    return page.locator(f"[data-map={which}] [data-areas] > *").evaluate_all(
        "all => Object.fromEntries(all.map(a => [a.dataset.code, a.getAttribute('aria-label')]))"
    )


def test_a_month_slid_to_says_what_its_own_page_says(opened, live_server):
    page = opened
    october = labels(page)
    page.evaluate("window.same = true")
    page.locator(".slide").wait_for()
    with page.expect_response("**/months.json**"):
        page.locator("#slider").evaluate("s => { s.value = 11; s.dispatchEvent(new Event('input', {bubbles: true})); }")
    page.wait_for_function(
        "was => document.querySelector('[data-map=map] [data-areas] > *').getAttribute('aria-label') !== was",
        arg=next(iter(october.values())),
    )
    previewed = labels(page)
    page.locator("#slider").evaluate("s => s.dispatchEvent(new Event('change', {bubbles: true}))")
    page.wait_for_url("**month=2022-12**")
    assert page.evaluate("window.same") is True, "the page was not loaded again"
    assert labels(page) == previewed
    page.reload()
    assert labels(page) == previewed


def test_it_plays_to_the_last_month_and_stops(opened):
    page = opened
    page.locator(".slide").wait_for()
    page.locator("#slider").evaluate("s => { s.value = 19; }")
    page.get_by_role("button", name="Play").click()
    page.wait_for_url("**month=2023-10**")
    page.get_by_role("button", name="Play").wait_for()
    assert page.locator("#slider").input_value() == page.locator("#slider").get_attribute("max")


def test_two_months_side_by_side_move_together(opened, axe_violations, outside_requests):
    page = opened
    page.get_by_role("button", name="Show side by side").click()
    page.wait_for_url("**beside=2022-10**")
    assert set(labels(page)) == set(labels(page, "beside"))
    page.locator("[data-map=map] [data-zoom=in]").click()
    boxes = page.locator("[data-map] .drawn svg").evaluate_all(
        "all => all.map(s => s.getAttribute('viewBox').split(' ').map(Number))"
    )
    assert boxes[0] == pytest.approx(boxes[1])
    assert page.locator("[data-map] svg.zoomed").count() == 2
    assert axe_violations(page) == []
    assert outside_requests == []


def test_a_place_sought_comes_into_view_and_its_neighbours_stay_reachable_by_key(opened):
    page = opened
    page.fill("#place", "Distrito 2.1")
    page.keyboard.press("Enter")
    page.wait_for_url("**place=Distrito**")
    page.locator("[data-map=map] svg.zoomed").wait_for()
    assert "Distrito 2.1: " in page.locator(".notice").inner_text()
    page.locator("[data-map=map] a[data-code][tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.code") is not None


@pytest.mark.parametrize("width", [1280, 390])
def test_it_does_not_scroll_sideways(opened, width):
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_it_is_ink_on_white_whatever_the_screen_is(opened, live_server):
    page = opened
    for theme in (None, "dark"):
        if theme:
            page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
        page.emulate_media(media="print", color_scheme="dark")
        page.reload()
        drawn = page.evaluate(
            "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
        )
        assert drawn == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"], theme
