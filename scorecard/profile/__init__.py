"""The criminogenic profile of a selection of events beside its comparison."""
