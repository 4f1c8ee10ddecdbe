"""The last 28 days and the year to date beside those before, control charts, and units like this one."""
