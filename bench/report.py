"""Tells the figures: a table on the terminal, a document in `docs/`.

The document has one section for each benchmark. A run of some of them replaces their sections and
leaves the others, and whatever people wrote under other headings, as they were.
"""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from bench.figures import HEADER, Section, Table

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TITLE = "# Benchmarks\n"
ORDER = (
    "sweep",
    "icmp",
    "bad_day",
    "inspection",
    "guarded",
    "hostile",
    "store",
    "monthly",
    "pages",
    "wall",
    "deciding",
    "faults",
    "weight",
    "audited",
    "memory",
    "scale",
)
"""Of the measured sections; what people wrote comes after them."""
PREAMBLE = """
`make bench` runs them all; `make bench ARGS="sweep icmp"` (or `python -m bench sweep icmp`) some of
them. Ours and the peer run in turn on the same machine in the same run; the figures are medians
unless they say otherwise. What counts is the ratio: the times themselves are this machine's.
"""


def print_sections(sections: Iterable[Section]) -> None:
    """One table of all figures, then the rest, for people."""
    console = Console()
    figures = Shown(*HEADER)
    for section in sections:
        for figure in section.figures:
            figures.add_row(*figure.cells())
        if section.skipped:
            figures.add_row(f"{section.name}: {section.skipped}", *[""] * 5)
    console.print(figures)
    for section in sections:
        if section.table:
            console.print(_shown(section.table))
        for note in section.notes:
            console.print(f"{section.name}: {note}", markup=False)


def _shown(table: Table) -> Shown:
    shown = Shown(*table.header)
    for row in table.rows:
        shown.add_row(*row)
    return shown


def write_document(sections: Sequence[Section], path: Path = DOCUMENT) -> None:
    """Replace the sections that were measured."""
    present = _sections_in(path.read_text(encoding="utf-8")) if path.exists() else {}
    measured = {section.name: _markdown(section) for section in sections}
    both = present | measured
    names = sorted(both, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    parts = [TITLE + PREAMBLE, *(both[name] for name in names)]
    path.write_text("\n".join(part.strip() + "\n" for part in parts), encoding="utf-8")


def _sections_in(document: str) -> dict[str, str]:
    """Heading → the section with its heading."""
    parts = re.split(r"(?m)^(?=## )", document)[1:]
    return {part.partition("\n")[0].removeprefix("## ").strip("` "): part for part in parts}


def _markdown(section: Section) -> str:
    lines = [f"## `{section.name}`", "", section.how, ""]
    lines += [f"*{datetime.now(UTC):%Y-%m-%d}, {_machine()}; `python -m bench {section.name}`*", ""]
    if section.skipped:
        lines += [f"Skipped: {section.skipped}", ""]
    if section.figures:
        lines += _rows(HEADER, [figure.cells() for figure in section.figures])
    if section.table:
        lines += _rows(section.table.header, section.table.rows)
    lines += [f"- {note}" for note in section.notes]
    return "\n".join(lines)


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [*("| " + " | ".join(cells) + " |" for cells in lines), ""]


def _machine() -> str:
    """Cores, processor and versions, without naming the machine."""
    information = Path("/proc/cpuinfo")
    text = information.read_text() if information.exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    processor = found.group(1).strip() if found else platform.machine()
    return (
        f"{os.cpu_count()} cores ({processor}), Linux {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}"
    )
