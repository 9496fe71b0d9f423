"""What guests hold and what finds defects in compressors: one function per corpus.

Every function takes the number of bytes wanted and dice, and returns exactly that many bytes.
The content does not depend on the page size, and whatever repeats, repeats in units that suit every page size; where it
is about pages, their size is the first argument.
"""
