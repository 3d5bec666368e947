"""`python -m bench [NAME …]`: run the benchmarks, print the table, write `docs/benchmarks.md`."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping

from bench import (
    audited,
    bad_day,
    deciding,
    faults,
    guarded,
    hostile,
    icmp,
    inspection,
    memory,
    monthly,
    pages,
    scale,
    store,
    sweep,
    wall,
    weight,
)
from bench.figures import Options, Section
from bench.report import print_sections, write_document

BENCHMARKS: Mapping[str, Callable[[Options], Section]] = {
    "sweep": sweep.measure,
    "icmp": icmp.measure,
    "bad_day": bad_day.measure,
    "inspection": inspection.measure,
    "guarded": guarded.measure,
    "hostile": hostile.measure,
    "store": store.measure,
    "monthly": monthly.measure,
    "pages": pages.measure,
    "wall": wall.measure,
    "deciding": deciding.measure,
    "faults": faults.measure,
    "weight": weight.measure,
    "audited": audited.measure,
    "memory": memory.measure,
    "scale": scale.measure,
}


def main() -> int:
    """Returns 1 where a bar was missed."""
    asked = _arguments()
    for name in [name for name in os.environ if name.startswith("INTACT_")]:
        del os.environ[name]  # the settings of this shell are no part of the measurement
    options = Options(asked.repetitions, asked.cameras, asked.sweeps, tuple(asked.scales))
    sections = []
    for name in asked.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr, flush=True)
        section = BENCHMARKS[name](options)
        sections.append(section)
        if not asked.no_document:
            write_document([section])
    print_sections(sections)
    return int(any(figure.met is False for section in sections for figure in section.figures))


def _arguments() -> argparse.Namespace:
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME")
    parser.add_argument("--repetitions", type=int, default=usual.repetitions)
    parser.add_argument("--cameras", type=int, default=usual.cameras)
    parser.add_argument("--sweeps", type=int, default=usual.sweeps, help="of the memory run")
    parser.add_argument("--scales", type=int, nargs="+", default=list(usual.scales))
    parser.add_argument("--no-document", action="store_true", help="print only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
