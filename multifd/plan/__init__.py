"""The plan: every cell with its prediction, written down before anything runs. Pure functions of the line-up."""
