"""A database of its own for a benchmark, made and dropped; the one in use is never touched."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def scratch_database():
    """Everything within runs on an empty, migrated database beside the configured one."""
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
