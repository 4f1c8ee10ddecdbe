"""What a long-lived process keeps of the dimensions, until their history says that something has changed.

A stamp is the latest event and the highest id of each table. Numbers of events are given before a transaction ends, so
a lower one may come into sight after a higher: what was read while another transaction was writing these tables is not
kept for a second use.
"""

import threading

from django.db import connection


def stamp(models):
    """Where the tables of these tracked models stand, in this database. The same stamp: the same rows."""
    tables = [(model.pgh_event_model._meta.db_table, model._meta.db_table) for model in models]
    parts = [f"(SELECT max(pgh_id) FROM {events}), (SELECT max(id) FROM {rows})" for events, rows in tables]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), {', '.join(parts)}")
        return (connection.settings_dict["HOST"], connection.settings_dict["PORT"], *cursor.fetchone())


def is_settled(models):
    """Whether no other transaction writes these tables. Asked after the stamp and before the rows are read."""
    tables = [t for model in models for t in (model._meta.db_table, model.pgh_event_model._meta.db_table)]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT NOT EXISTS (
                SELECT FROM pg_locks WHERE locktype = 'relation' AND relation = ANY(%s::regclass[])
                AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND granted AND pid <> pg_backend_pid()
            )""",
            [tables],
        )
        return cursor.fetchone()[0]


class Kept(threading.local):
    """One object a thread, made of the rows of some models, and made again when they have changed."""

    def __init__(self, make, models):
        self.make, self.models = make, models
        self.stamp, self.value = None, None

    def fresh(self):
        """The object as of now. A caller that must not miss a change holds a lock that keeps it from coming."""
        now = stamp(self.models)
        if self.stamp is None or now != self.stamp:
            self.stamp = now if is_settled(self.models) else None
            self.value = self.make()
        return self.value
