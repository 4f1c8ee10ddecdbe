"""Where a source's pages are: the address of the one to read, its items, and the cursor to be saved after it. Pure.

A cursor never passes a page that may still grow: at the end of what there is, the last page that held items is read
again at the next pull, and its items, known by their identifiers, change nothing.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from incidents.connect.fetch import same_origin
from incidents.connect.models import Paging
from incidents.connect.rules import SourceError

LISTS = ("incidents", "items", "results", "data", "records")  # names under which sources keep their list
PARAMETERS = {Paging.CURSOR: "cursor", Paging.PAGE: "page"}
PATHS = {Paging.CURSOR: "next_cursor", Paging.NEXT_LINK: "next"}
FIRST_PAGE = 1
LONGEST = 2_000  # letters of a cursor


class Page(NamedTuple):
    """Items as they came; the cursor to save with them; whether there was nothing more."""

    items: list
    cursor: str
    is_last: bool


def address(connector, cursor):
    """The address of the page to which a cursor leads; an empty one leads to the first."""
    if connector.paging == Paging.NEXT_LINK:
        return same_origin(cursor, connector.url) if cursor else connector.url
    if connector.paging == Paging.NONE or (connector.paging == Paging.CURSOR and not cursor):
        return connector.url
    return _with(connector.url, connector.cursor_parameter or PARAMETERS[connector.paging], cursor or str(FIRST_PAGE))


def _with(url, name, value):
    parts = urlsplit(url)
    query = [(key, said) for key, said in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode([*query, (name, value)])))


def read(connector, cursor, answer):
    """The Page of an answer that was got at address(connector, cursor). Raises SourceError."""
    items = _items(connector.items_path, answer.value)
    if connector.paging == Paging.NONE:
        return Page(items, "", True)
    if connector.paging == Paging.PAGE:
        return numbered(items, cursor)
    following = _next(connector, answer)
    if connector.paging == Paging.NEXT_LINK and following:
        following = same_origin(following, address(connector, cursor))
    if not following:
        return Page(items, cursor, True)
    if following == cursor:
        if items and connector.paging == Paging.NEXT_LINK:
            raise SourceError("cursor_stuck", following)
        return Page(items, cursor, True)
    if len(following) > LONGEST:
        raise SourceError("cursor_unreadable", f"{len(following)} > {LONGEST}")
    return Page(items, following, not items)


def numbered(items, cursor):
    """The Page of a page with a number: the page after it, or, where it is empty, the one before it again."""
    number = int(cursor) if cursor.isascii() and cursor.isdecimal() else FIRST_PAGE
    if items:
        return Page(items, str(number + 1), False)
    return Page(items, str(max(FIRST_PAGE, number - 1)), True)


def _items(path, value):
    if path:
        found = _at(path, value)
    elif isinstance(value, dict):
        found = next((value[name] for name in LISTS if isinstance(value.get(name), list)), None)
    else:
        found = value
    if not isinstance(found, list):
        raise SourceError("page_shape", path or ", ".join(LISTS))
    return found


def _next(connector, answer):
    found = _at(connector.cursor_path or PATHS[connector.paging], answer.value)
    if found is None and connector.paging == Paging.NEXT_LINK:
        return answer.next_link
    if found is None or found is False or found == "":
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise SourceError("cursor_unreadable", type(found).__name__)
    return str(found)


def _at(path, value):
    """What stands at a path of names with dots between."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
