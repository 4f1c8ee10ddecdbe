"""Units from a file: a whole tree at once, in any order, nothing twice and nothing by halves."""

import io

import pytest
from django.core.management import CommandError, call_command

from tests.factories import small_country
from units.models import Unit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
TREE = ["code,name,parent,territory,from_month", "PN-N1,Norte 1,PN-N,,2023-10", "PN-N,Norte,PN-EC,,2023-09"]


@pytest.fixture(autouse=True)
def country():
    return small_country(zones=1, districts=1, circuits=1, months=1, cards=False)


@pytest.fixture
def load(tmp_path):
    def run(lines, *more):
        path = tmp_path / "units.csv"
        path.write_text("\n".join(lines))
        said = io.StringIO()
        call_command("import_units", str(path), *more, stdout=said, stderr=said)
        return said.getvalue()

    return run


def test_a_tree_comes_in_whatever_the_order_of_its_rows(load):
    assert "Units: 2 new, 0 unchanged." in load(TREE)
    low = Unit.objects.select_related("parent", "institution").get(code="PN-N1")
    assert (low.parent.code, low.institution.code, len(low.path)) == ("PN-N", "PN", len(low.parent.path) + 1)
    assert str(low.periods.get().from_month) == "2023-10-01"
    assert "Units: 0 new, 2 unchanged." in load(TREE)


@pytest.mark.parametrize(
    ("line", "rule"),
    [("PN-X,X,PN-NONE,,2023-10", "parent: There is no unit of this code above it. [unknown_parent]"),
     ("PN-X,X,PN-EC,NONE,2023-10", "territory: There is no territory of this code. [unknown_territory]"),
     ("PN-X,X,PN-EC,,", "[not_a_month]"), ("PN-X,,PN-EC,,2023-10", "name: This field cannot be blank. [invalid]"),
     ("px é,X,PN-EC,,2023-10", "[invalid]"), ("PN-EC,Another,EST-EC,,2023-10", "[other]"),
     ("PN-X,X,PN-EC,01D01,2023-10", "[invalid]")],
)  # fmt: skip
def test_a_refused_row_is_named_by_its_rule_and_nothing_is_opened(load, line, rule):
    before = Unit.objects.count()
    with pytest.raises(CommandError, match="1 row was refused"):
        load([*TREE, line])
    assert Unit.objects.count() == before
    said = load([*TREE, line], "--accept-valid", "--refused", "/dev/null")
    assert rule in said
    assert Unit.objects.count() == before + 2


def test_a_dry_run_opens_nothing_and_a_month_may_hold_for_all_rows(load):
    lines = ["code,name,parent", "PN-N,Norte,PN-EC"]
    assert "1 new" in load(lines, "--from-month", "2023-10", "--dry-run")
    assert not Unit.objects.filter(code="PN-N").exists()
    assert "1 new" in load(lines, "--from-month", "2023-10")
    with pytest.raises(CommandError, match="write it as 2023-05"):
        load(lines, "--from-month", "soon")
