"""Guest memory: images in files, what is in their pages, which pages a sender sends in which dirty round.

The lowest layer: nothing in here knows a packet, a codec or a peer.
"""
