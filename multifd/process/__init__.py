"""A process that somebody started: what it is told, how long it is waited for, what it says, how it ends."""
