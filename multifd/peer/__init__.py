"""Peers: the contract they speak, our own live sender and receiver, captures, and the client that drives them."""
