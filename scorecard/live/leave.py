"""Who may no longer hear what their open pages are told: the permission that signed a ticket, asked again.

In SQL, as the process that holds the streams has none of the site's applications; a test compares it with
`units.permissions`.
"""

from __future__ import annotations

from typing import NamedTuple


class Leave(NamedTuple):
    """A person, and the unit whose cards, or whose board, an open page shows."""

    user: int
    unit: int
    is_board: bool


FOR_CARDS = [
    "hold_viewer", "hold_reporter", "hold_approver", "hold_analyst", "hold_unit_administrator", "hold_auditor",
    "hold_integrator", "hold_administrator",
]  # fmt: skip
FOR_BOARDS = ["hold_analyst"]

# A role that is held in the unit or above it, by somebody who is active.
LOST = """
SELECT l.n - 1
FROM unnest(%(users)s::int[], %(units)s::int[], %(boards)s::bool[]) WITH ORDINALITY AS l(user_id, unit_id, is_board, n)
WHERE NOT EXISTS (
    SELECT FROM units_user p
    WHERE p.id = l.user_id AND p.is_active AND (p.is_superuser OR EXISTS (
        SELECT FROM units_unit u
        JOIN units_unituserobjectpermission g ON g.user_id = p.id AND g.content_object_id = ANY(u.path)
        JOIN auth_permission r ON r.id = g.permission_id
        WHERE u.id = l.unit_id
          AND r.codename = ANY(CASE WHEN l.is_board THEN %(for_boards)s ELSE %(for_cards)s END::text[])
    ))
)
"""


async def lost(db, leaves: list[Leave]) -> list[Leave]:
    """Those of the leaves that hold no more. One query."""
    users, units, boards = (list(column) for column in zip(*leaves, strict=True))
    asked = {"users": users, "units": units, "boards": boards, "for_cards": FOR_CARDS, "for_boards": FOR_BOARDS}
    return [leaves[n] for (n,) in await (await db.execute(LOST, asked)).fetchall()]
