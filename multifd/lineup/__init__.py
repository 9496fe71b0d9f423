"""The line-up: who takes part, introduced and probed, frozen for the whole run."""
