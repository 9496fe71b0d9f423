"""The multifd wire, sans-I/O: packets, dialects, channel state machines, the SYNC barrier, the main channel.

Nothing in here reads or writes a socket, and nothing knows a codec: bytes go in, events and bytes come out.
"""
