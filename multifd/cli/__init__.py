"""The ``multifd`` command."""
