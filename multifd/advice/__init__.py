"""What to set for a migration between two fleets, and why; from what the oracle knows and what a run has shown."""
