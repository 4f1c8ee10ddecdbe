"""What every page knows beside its own content."""

from collections.abc import Iterable, Iterator
from time import monotonic

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from indicators.models import Batch
from units.tables import Table

KEPT = 60.0  # seconds a process keeps the answer
_known = {"until": 0.0, "simulated": False}


def simulated(request):
    """`simulated`: whether the site holds any simulated figures, so that every page says so.

    Asked when a page wants to know, and at most once a minute; a view that knows better of its own page says so itself.
    """
    return {"simulated": SimpleLazyObject(_is_simulated)}


def simulated_note() -> tuple[str, str]:
    return _("Simulated data"), _("Monthly and daily detail is generated for demonstration. Do not cite.")


def labelled(tables: Table | Iterable[Table]) -> Iterator[Table]:
    """Tables as they leave a page that says so by itself alone: in files, too, what is simulated says that it is."""
    for table in [tables] if isinstance(tables, Table) else tables:
        if _is_simulated():
            table.notes = [*table.notes, simulated_note()]
        yield table


def _is_simulated():
    if monotonic() >= _known["until"]:
        _known["simulated"] = Batch.objects.filter(is_simulated=True).exists()
        _known["until"] = monotonic() + KEPT
    return _known["simulated"]


def forget():
    """Ask again at the next page: after a load in this process, and between tests."""
    _known["until"] = 0.0
