"""Vendor libraries within reach, without root and without touching the system.

libqpl (Intel IAA) and libqatzip (Intel QAT) are missing from most hosts, and where a distribution has them it
is a newer release of it than the host's. They are fetched from the host's own mirror into a folder of the user's
cache, with everything that they need down to the C library, and Python runs under that folder's loader.

=============  ===================================================================================
sources        what mirrors the host is configured for, pointed at a newer suite
apt            a private apt: own lists, own empty status, the host's keyrings
wish           what is fetched: packages, suites, and how the result is run
cache          fetched trees: manifest, loader, atomic replacement
fetch          from a wish to a tree
elf            what glibc a shared library needs, and which functions it has
release        of which release it is
packages       which package of this distribution has it
fit            whether it is new enough, and whether it can reach the device
find           which library is used, where it is, and how Python must be run to load it
probe          proof that it loads, and the version that it reports itself
=============  ===================================================================================
"""
