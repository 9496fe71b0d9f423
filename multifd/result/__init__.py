"""Plain data: records, the results file, the event log, known issues. Anyone may import it; it imports nobody."""
