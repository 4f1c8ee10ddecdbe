"""Yearly partitions of the bulk tables. A year outside those made ahead lands in the default partition."""

FIRST_YEAR, LAST_YEAR = 2010, 2039


def yearly(table):
    """SQL that makes the yearly partitions of a table partitioned by `month`, and the default one."""
    years = [
        f"CREATE TABLE {table}_{year} PARTITION OF {table} FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01');"
        for year in range(FIRST_YEAR, LAST_YEAR + 1)
    ]
    return "\n".join([*years, f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT;"])
