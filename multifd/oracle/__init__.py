"""What a cell should do and why, derived from declared capabilities; pure functions, no I/O."""
