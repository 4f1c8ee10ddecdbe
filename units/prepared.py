"""A statement that is asked again and again, planned once a connection: what a request costs least.

Django binds parameters into the text, which PostgreSQL then plans anew each time; planning is most of a small
statement's cost. `prepare_threshold: None` in the database's OPTIONS is for poolers of connections that cannot follow
prepared statements.
"""

from __future__ import annotations

import psycopg
from django.db import connection


def keeps():
    """Whether this connection keeps statements prepared; asking makes it do so.

    Django turns it off. Cursors of the ORM bind in the client, and so are never prepared.
    """
    if connection.settings_dict["OPTIONS"].get("prepare_threshold", 0) is None:
        return False
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0
    return True


def row(sql, parameters):
    """The first row of a statement with named parameters, in the connection's transaction if there is one; or None.

    By Django's own cursor where something watches or rewrites what is asked, as a wrapper or the log of queries.
    """
    if connection.execute_wrappers or connection.queries_logged or not keeps():
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchone()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, parameters, prepare=True).fetchone()
