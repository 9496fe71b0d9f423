"""A peer as a process: the contract, the client that drives it, our own server, the nursery that forks it."""
