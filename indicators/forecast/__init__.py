"""The year's total of counted events: a level that borrows from its neighbours, and an interval from earlier years."""
