"""A whole run: prepared once, recorded as it goes, concluded; the command and pytest use the same one."""
