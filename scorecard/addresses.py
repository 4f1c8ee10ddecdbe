"""What addresses of pages say, read."""

from __future__ import annotations

import re
from datetime import date

from django.http import Http404
from django.utils.translation import gettext as _

MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
FIRST_YEAR, LAST_YEAR = 1990, 2199


def month_of(text: str) -> date | None:
    """The month that a text names, None where it is empty; not found where it is no month."""
    if not text:
        return None
    is_written_so = MONTH.fullmatch(text)
    if is_written_so and FIRST_YEAR <= int(is_written_so[1]) <= LAST_YEAR:
        return date(int(is_written_so[1]), int(is_written_so[2]), 1)
    raise Http404(_("%(text)s is not a month: write it as 2023-10.") % {"text": text[:20]})


def asked_month(request) -> date | None:
    """The month of a page's address, None where it names none."""
    return month_of(request.GET.get("month", ""))
