"""Scenarios: what is migrated and how, as data. A new one is a line in a table."""
