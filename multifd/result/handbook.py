"""``docs/results.md``: what stands in ``results.json``, field by field, made from the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from multifd.result.intake import VERSION_1
from multifd.result.record import SCHEMA_ID
from multifd.result.schema import ID, schema

PATH: Final = Path(__file__).resolve().parents[2] / "docs/results.md"

_ORDER: Final = (
    "Results", "Run", "Rule", "Shard", "Coverage", "Reach", "Tuples", "Subset", "UserContent", "Peer", "Unable",
    "Finding", "Setting", "Cell", "Sides", "Seconds", "CpuSeconds", "DeviceWork", "Integrity", "Invariants", "Answer",
    "Evidence",
)  # fmt: skip

_HEAD: Final = f"""# Results, `{SCHEMA_ID}`

A run leaves `results.json` in the directory that it was given as `--results`. This page says what stands in it, and
what whoever reads it may rely on. It is made from the models (`python -m multifd.result.handbook`).

The JSON Schema is [results.schema.json](../multifd/result/results.schema.json), `{ID}`; `multifd schema` prints
it. It is exact: it is that of the files which the suite beside it writes, with every field and no other.

## The promise

The first field, `schema`, names the version. Within a version

- no field goes, none changes its type, its unit or its meaning, and no value of an enumeration changes its own;
- fields may come, and values of enumerations: who reads should pass over fields that it does not know, and treat a
  verdict that it does not know as a failure;
- a cell's `id` stays what it is as long as the cell does the same; cells may come and go;
- text for people (`reason`, `error`, `cause`, `remedy`, `because`) may be worded otherwise at any time. What a
  program needs is a field of its own.

Anything else gets a new number, and this suite goes on reading the old ones: `multifd report`, `multifd diff`,
`multifd history` and `multifd answers` take `{VERSION_1}` too. Of what it did not write, plan and
coverage are made from its cells, and remedies are said to be unknown. A file of a newer version, or with fields
that are not known here, is refused by name rather than read in part. Both versions' files are kept as tests.

`events.jsonl` beside it is the log that the results are made from. It is this suite's own and nobody's contract.
While it is there it is what every command reads; where `results.json` says otherwise, one of both was edited, and the
command says on standard error what differs and that the log is read.

What is said twice is said alike. A file is refused, with both of what it says, whose `findings` have other cells than
those whose `issues` name them, whose `complete` a cell that was not run contradicts, whose `device_verdict` is not
the worst of its `device`, whose counts are not the number of their parts, or whose plan is not its cells. So is a
cell whose `verdict` does not follow from what was `predicted` and `observed`, which has a `kind` though it did not
fail or has none though it did, or in which a peer ran on hardware that is software by `peers` and that no device
proves. Answers are found again in the cells, and the exit code is never written down. Only the word of whoever wrote
the file is the rest of what cells say, that a run was interrupted, which pairs of values its cells combine, and the
texts of findings.

## Verdicts

| verdict | the cell |
| --- | --- |
| `pass` | arrived identically, as predicted |
| `refused` | was cleanly rejected, as predicted |
| `hazard` | ended with wrong memory or a channel out of step that nothing on the wire can notice, as predicted |
| `known` | fails as a known issue says, which `issues` names |
| `fail` | went otherwise than predicted; `kind` says how |
| `skip` | was not run; `reason` has the remedy |
| `error` | broke for a reason of ours or of the host |
| `not-run` | was planned, and nobody ran it |

| kind | what happened |
| --- | --- |
| `corrupt` | memory is silently wrong |
| `accepted` | what was predicted to be refused, or to end in a hazard, arrived |
| `unproven`, `disturbed` | a device's counters say less, or more, than the work that it was asked for |
| `hang`, `crash` | an end did not end, or died: by a signal, or at a command |
| `invariant` | memory is right, and the stream, what its sender counts, or what a peer or library promises is not |
| `wrong-error` | it was refused otherwise than predicted, or not as a known issue says any more |

| device verdict | of an end that claims a device |
| --- | --- |
| `proven` | the jobs that were counted lie between the least and the most that the vendor's rules allow |
| `fell-back` | by the vendor's own rules its library did this in software |
| `unverified` | nothing could be read |
| `unproven`, `disturbed` | too few were counted; more than the most, so somebody else used the device |
| `not claimed` | no end claims a device |

## Prediction and observation

`predicted` is what the oracle said before anything ran, `observed` what happened, `verdict` what follows from both.
Each has its words: `rule` and `predicted_because` say why it was predicted, `reason` what disagreed. Where nothing
disagreed there is nothing else to say, so `reason` itself has why it was predicted, and `predicted_because` is null:
so it is of `pass`, `refused` and `hazard`, unless the record says more (a probe's does). Of a file from before these
fields that is all there is; of its other cells nobody knows any more why they were predicted as they were
(`multifd explain CELL` asks the oracle again). `run.rules` are the rules in the order in which they are asked: all
before the one that a cell names hold.

## Fields
"""


def page() -> str:
    """The page as the models have it now."""
    made = schema()
    models = {**made["$defs"], "Results": made}
    return "\n".join((_HEAD, *(line for name in _ORDER for line in _section(name, models[name]))))


def _section(name: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        f"### {name}",
        "",
        model["description"].replace("``", "`").splitlines()[0],
        "",
        "| field | type | |",
        "| --- | --- | --- |",
    )
    for field, told in model["properties"].items():
        yield f"| `{field}` | {_type(told)} | {_cell(told['description'])} |"
    yield ""


def _type(told: Mapping[str, Any]) -> str:
    """In words; a link where it is a model."""
    match told:
        case {"$ref": str() as reference}:
            name = reference.rpartition("/")[2]
            made = f"[{name}](#{name.lower()})"
        case {"anyOf": [*parts]}:
            made = ", ".join(_type(part) for part in parts)
        case {"enum": [*values]}:
            made = ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            made = f"`{value}`"
        case {"type": "array", "items": items}:
            made = f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            made = f"object of {_type(values)}"
        case _:
            made = str(told.get("type", "any"))
    return made


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
