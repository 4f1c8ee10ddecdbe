"""What becomes of an item whose event is known: the rules of versions, retries, tombstones. Pure."""

from __future__ import annotations

from typing import NamedTuple

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"
RECLASSIFIED, RETRACTED, REFUSED = "reclassified", "retracted", "refused"


class Key(NamedTuple):
    """What is held of an event: whose it is, what was last said of it, in which version."""

    incident_id: int
    occurred_on: object
    digest: int | None
    version: int | None
    is_retracted: bool


class Verdict(NamedTuple):
    """A result, and the rule by which nothing changes or the item is refused."""

    result: str
    rule: str = ""


def is_older(version, held):
    return version is not None and held is not None and version < held


def is_newer(version, held):
    return version is not None and (held is None or version > held)


def account(version, digest, key, was_said_before):
    """An account of an event that is there.

    was_said_before: an account with this digest was replaced by a later one. Without a version that tells otherwise
    that is a replay, and changes nothing.
    """
    if key.is_retracted:
        return Verdict(CREATED) if is_newer(version, key.version) else Verdict(REFUSED, "retracted")
    if is_older(version, key.version):
        return Verdict(UNCHANGED, "older")
    if digest == key.digest:
        return Verdict(UNCHANGED)
    if not is_newer(version, key.version):
        if was_said_before:
            return Verdict(UNCHANGED, "older")
        if version is not None:
            return Verdict(REFUSED, "version_repeated")
    return Verdict(UPDATED)


def reclassification(version, category, key, held_category):
    if key is None:
        return Verdict(REFUSED, "unknown_event")
    if key.is_retracted:
        return Verdict(REFUSED, "retracted")
    if is_older(version, key.version):
        return Verdict(UNCHANGED, "older")
    return Verdict(UNCHANGED if category == held_category else RECLASSIFIED)


def retraction(version, key):
    if key is None:
        return Verdict(REFUSED, "unknown_event")
    if key.is_retracted:
        return Verdict(UNCHANGED)
    return Verdict(UNCHANGED, "older") if is_older(version, key.version) else Verdict(RETRACTED)


def later(version, held):
    """The version that is held after an item was taken."""
    return version if is_newer(version, held) else held
