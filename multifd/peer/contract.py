"""The peer contract ``multifd-peer/1``: JSON lines on stdin and stdout, logs on stderr, data through files and sockets.

The harness writes one request per line and reads one reply per line (``receive`` and ``splice`` answer twice:
``listening``, then how it ended; or once, ``failed``, if it cannot listen). A peer never exits by itself before
``quit`` or end of file. Each reply repeats the request's ``id``. Any executable that does this is a peer;
``docs/peer-contract.md`` shows one in forty lines.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from multifd.errors import Place
from multifd.framing.coder import DecoderCapability, EncoderCapability, Routing
from multifd.framing.container import Container
from multifd.memory.layout import MOST_BLOCKS, BlockName, BlockSize, MemoryLayout, PageSize, Script
from multifd.result.terms import Provenance, Role, Said, Unit

CONTRACT: Literal["multifd-peer/1"] = "multifd-peer/1"


class Message(BaseModel):
    """Base of requests and replies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int


class Hello(Message):
    """Who are you?"""

    op: Literal["hello"] = "hello"


class Encode(Message):
    """Encode a migration into a capture directory."""

    op: Literal["encode"] = "encode"
    script: Script
    framing: str
    dialect: str
    machine: str | None = None
    """As of ``send``; None means that of the dialect."""
    channels: Annotated[int, Field(ge=1, le=255)]
    capture: str


class Decode(Message):
    """Decode a capture into the given (zero) memory."""

    op: Literal["decode"] = "decode"
    capture: str
    memory: MemoryLayout
    framing: str
    dialect: str


class Send(Message):
    """Send a migration to a receiver that listens at ``address`` (``unix:PATH`` or ``tcp:HOST:PORT``)."""

    op: Literal["send"] = "send"
    script: Script
    framing: str
    dialect: str
    machine: str
    """The dialect of the older machine type, which both ends run: it decides how the main channel marks a SYNC."""
    zero_pages: Literal["main", "packet"]
    channels: Annotated[int, Field(ge=1, le=255)]
    address: str
    deadline: float
    """Seconds until the peer gives up by itself, unless it or, as far as it can see, the other side is still at work.
    Ours then go on, up to :data:`multifd.process.patience.MOST` times as long; to give up at once is right too."""


class Receive(Message):
    """Listen at ``address``, receive a migration into the given (zero) memory."""

    op: Literal["receive"] = "receive"
    memory: MemoryLayout
    framing: str
    dialect: str
    machine: str
    channels: Annotated[int, Field(ge=1, le=255)]
    address: str
    deadline: float
    return_path: bool = False
    """The sender has the ``return-path`` capability: it waits on the main channel to be told that all went well."""


class Splice(Message):
    """Stand between a sender, which connects to ``address``, and a receiver, which listens at ``upstream``.

    The main channel is forwarded byte for byte in both directions; on the multifd channels every packet is decoded as
    the sender framed it and encoded as the receiver expects it. The peer's codec does this on each side whose framing
    is not ``none``.
    """

    op: Literal["splice"] = "splice"
    address: str
    upstream: str
    sender_framing: str
    sender_dialect: str
    receiver_framing: str
    receiver_dialect: str
    page_size: PageSize
    ramblocks: Annotated[dict[BlockName, BlockSize], Field(min_length=1, max_length=MOST_BLOCKS)]
    """Size in bytes of every RAM block of the sender."""
    channels: Annotated[int, Field(ge=1, le=255)]
    deadline: float


class Packet(BaseModel):
    """Of a trial: so many bytes of the data, from which so many are to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: Annotated[int, Field(ge=0)]
    wanted: Annotated[int, Field(ge=0)] = 0
    """For a receiver: bytes of its output."""


class Trial(BaseModel):
    """Something that the codec is put before, whatever it declares."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    """``sender``: compress; ``receiver``: decompress."""
    container: Container
    window: int
    """For a sender: bits of the window that it is to keep to."""
    stream: bool
    """The packets are one stream that goes on, if the codec has a call for it; else each is complete."""
    packets: Annotated[tuple[Packet, ...], Field(min_length=1)]


class Try(Message):
    """Put the codec before each of these by the library's own call, and tell what came of it.

    Only a peer that says so in its introduction (``tries``) is asked.
    """

    op: Literal["try"] = "try"
    trials: Annotated[tuple[Trial, ...], Field(min_length=1)]
    data: str
    """A file with what is given to all packets of all trials, one after the other."""
    output: str
    """A file to be written, with what is made of them."""


class Quit(Message):
    """Exit with status 0."""

    op: Literal["quit"] = "quit"


Request = Annotated[Hello | Encode | Decode | Send | Receive | Splice | Try | Quit, Field(discriminator="op")]


class Told(BaseModel):
    """What the vendor's library itself counted of its work on the device, read before and after a request.

    It counts for this process alone and needs no privilege.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Said
    """What was read, in words."""
    unit: Unit
    before: Annotated[int, Field(ge=0)]
    after: Annotated[int, Field(ge=0)]


class Introduction(Message):
    """Answer to ``hello``."""

    reply: Literal["hello"] = "hello"
    contract: Literal["multifd-peer/1"] = CONTRACT
    name: str
    codec: str | None
    device: str | None = None
    provenance: Provenance
    version: Said
    roles: tuple[Role, ...]
    encoder: EncoderCapability | None
    decoder: DecoderCapability | None
    tries: bool = False
    """It answers ``try``."""
    routing: Routing | None = None
    """By what its library decides what the device is given, None if it has no such rules or does not say."""


class Attempt(BaseModel):
    """What came of a trial."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    made: tuple[int, ...]
    """Bytes made of each packet, up to the one that failed."""
    error: Said | None
    """Why that one failed, None if none did."""


class Tried(Message):
    """Every trial was made."""

    reply: Literal["tried"] = "tried"
    attempts: tuple[Attempt, ...]


class Listening(Message):
    """The receiver, or the splice, accepts connections at ``address``."""

    reply: Literal["listening"] = "listening"
    address: str


class Done(Message):
    """The request succeeded."""

    reply: Literal["done"] = "done"
    provenance: Provenance
    """How the codec ran for this request."""
    bytes_wire: int = 0
    packets: int = 0
    """Packets with a payload; one that holds zero pages only has none."""
    escaped: int | None = None
    """Pages that the framing sent as they are (``encode``, ``send``), None for not counted. They are no work for the
    receiver, and only its sender can say how many there were."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    digest: dict[str, str] | None = None
    """SHA-256 of the received memory, by RAM block (``decode``, ``receive``)."""
    library: Told | None = None
    """What its vendor's library counted meanwhile, None where it counts nothing."""
    software: Annotated[int, Field(ge=0)] = 0
    """Calls that the library says it computed in software."""
    busy: Annotated[int, Field(ge=0)] = 0
    """Submissions that found every queue full and were made again."""
    faults: Annotated[int, Field(ge=0)] = 0
    """Jobs that ended by a page fault and were made again."""


class Failed(Message):
    """The request failed; after this reply the peer touches the memory no more."""

    reply: Literal["failed"] = "failed"
    error: Said
    kind: Literal["unsupported", "wire", "payload", "environment", "closed", "deadline", "internal"]
    """``closed``: the other side went away first. ``internal``: a defect of the peer itself."""
    packets: int = 0
    digest: dict[str, str] | None = None
    """SHA-256 of the memory as the peer left it (``decode``, ``receive``)."""
    field: str | None = None
    """What is wrong: of a packet, or of a payload (kinds ``wire`` and ``payload``)."""
    value: int | Said | None = None
    """What was received."""
    expected: int | Said | None = None
    place: Place | None = None
    """Where it is wrong, as far as the peer knows."""


Conclusion = Done | Failed
"""How a request ended."""

Reply = Annotated[Introduction | Listening | Tried | Done | Failed, Field(discriminator="reply")]

REQUEST: TypeAdapter[Hello | Encode | Decode | Send | Receive | Splice | Try | Quit] = TypeAdapter(Request)
REPLY: TypeAdapter[Introduction | Listening | Tried | Done | Failed] = TypeAdapter(Reply)
