from datetime import UTC, date, datetime

import pytest

NOW = datetime(2024, 12, 2, 15, 0, tzinfo=UTC)


@pytest.fixture
def country(db):
    from tests.incidents.country import Country, small_rows

    return Country(small_rows())


@pytest.fixture
def take(country, tmp_path):
    """Import a file, or rows as a file, for the Ministry. `take(rows, accept_valid=True)`."""
    from incidents import actions
    from tests.incidents.files import write_csv

    def import_(given, **how):
        path = write_csv(tmp_path / "file.csv", given) if isinstance(given, list) else given
        how = {"layout_name": "mdi-homicides", "as_of": date(2024, 12, 2), "now": NOW, "by": None} | how
        return actions.import_file(path=path, source=country.ministry, **how)

    return import_
