"""Every declaration of a capability as something to be tried: what only a codec with it does, or only one without.

==================  ==============================================================================================
receiver            tried
==================  ==============================================================================================
``containers``      a stream in each container there is
``streaming``       packets of a stream that goes on
``window``          a match as far back as the window, and one a byte farther; of zstd the window that a frame has
``header_window``   a zlib header, or zstd's, that announces more than the window, before data that keeps to it
``members``         two members in one payload, in each container that is read
``checks_trailer``  a wrong checksum behind right data, in each container that has one
``member``          a member of 4B that is smaller, before another
``needs_end``       a stream that is flushed, and does not end
``skips_header``    a header with a wrong first byte, in each container that has one
``needs_trailer``   a zlib stream that ends before its checksum
``checks_end``      bytes behind the last stream, where it reads but one
==================  ==============================================================================================

==================  ==============================================================================================
sender              tried
==================  ==============================================================================================
``containers``      a stream in each container there is
``streaming``       packets that a reader can follow one by one, of text and of noise
``windows``         each window there is: what the header announces, and how far matches reach
``shrinks``         text
``reach``           content that repeats at the end of what is reached, and of twice as much
``member``          a byte more than a member
``whole_below``     a byte less, and as much: the most that is one member, and the least that is several
``stores``          text, many times
``forgets``         one packet twice: the second is read without the first
==================  ==============================================================================================

What cannot be told apart is not tried: distances of zstd (its header decides), what a flush forgets where none is made
or nothing is matched, what may be stored and is not while it is tried. Containers ``none`` is no codec's work.
"""

from __future__ import annotations

from multifd.framing.coder import DecoderCapability, EncoderCapability
from multifd.lineup.case import Case
from multifd.lineup.reading import DECODER
from multifd.lineup.writing import ENCODER


def cases(encoder: EncoderCapability | None, decoder: DecoderCapability | None) -> list[Case]:
    """All that is to be tried of a peer."""
    receiving = [case for row in DECODER.values() for case in row(decoder)] if decoder is not None else []
    sending = [case for row in ENCODER.values() for case in row(encoder)] if encoder is not None else []
    return receiving + sending
