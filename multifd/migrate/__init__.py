"""A migration as we run it: our sender and receiver, splice, tap, captures and their replay."""
