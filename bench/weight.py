"""Weight of the archive: bytes a sample, beside Prometheus' own database with the same samples.

Prometheus holds status and latency of each camera as two series, written by its own tool
(`promtool tsdb create-blocks-from openmetrics`) into blocks of a day, without a write-ahead log.
Its exporters tell latencies in seconds (its naming rules ask for base units), which its encoding
of floats packs less well than whole milliseconds: both are weighed, the first is held to the bar.
"""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from app.evidence.archive.day_files import NO_LATENCY, DayGrid, write_file
from bench.days import day_of_evidence
from bench.figures import Figure, Options, Section
from bench.installation import scratch_folder

NAME = "weight"
HOW = (
    "A day of {cameras:,} cameras, a sample a minute, 2 % faults, latency jitter σ 10 ms, seeded: "
    "our day file, and Prometheus' blocks with the same status and latency (Debian's package)."
)
BAR = 0.12
DAY = date(2026, 3, 2)
SHARE = 10
"""Of one camera in so many: promtool reads text, some 70 bytes a sample."""


def measure(options: Options) -> Section:
    """Bytes a sample; a sample is a camera's status and latency in one slot."""
    cameras = max(options.cameras // SHARE, 1)
    how = HOW.format(cameras=cameras)
    if shutil.which("promtool") is None:
        return Section(NAME, how, skipped="promtool is not installed (Debian: prometheus)")
    grid = day_of_evidence(cameras, DAY)
    with scratch_folder() as folder:
        ours = _ours(folder / "day.parquet", grid)
        peer = _prometheus(folder / "seconds", grid, 1_000)
        in_ms = _prometheus(folder / "milliseconds", grid, 1)
        whole = _ours(folder / "whole.parquet", day_of_evidence(options.cameras, DAY))
    whole_samples = options.cameras * grid.slots.count
    return Section(
        NAME,
        how,
        (
            Figure("bytes a sample", ours / grid.samples, "B", peer / grid.samples, BAR),
            Figure(
                "bytes a sample, Prometheus in milliseconds",
                ours / grid.samples,
                "B",
                in_ms / grid.samples,
            ),
            Figure(f"of {options.cameras:,} cameras", whole / whole_samples, "B"),
        ),
        notes=(
            f"{grid.samples:,} samples: {ours:,} bytes, and {peer:,} in Prometheus' blocks with "
            "latencies in seconds, as its exporters tell them.",
        ),
    )


def _ours(path: Path, grid: DayGrid) -> int:
    write_file(path, grid)
    return path.stat().st_size


def _prometheus(folder: Path, grid: DayGrid, unit: int) -> int:
    """Bytes of the blocks, their index among them; `unit`: so many milliseconds."""
    folder.mkdir()
    text, blocks = folder / "samples.txt", folder / "blocks"
    with text.open("w", encoding="ascii") as target:
        target.writelines(_lines(grid, unit))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
    subprocess.run(
        [*command, "--max-block-duration=24h", str(text), str(blocks)],
        check=True,
        capture_output=True,
    )
    return sum(path.stat().st_size for path in blocks.rglob("*") if path.is_file())


def _lines(grid: DayGrid, unit: int) -> Iterator[str]:
    """The samples in OpenMetrics, a series after the other."""
    ticks = [grid.slots.start + grid.slots.interval_s * slot for slot in range(grid.slots.count)]
    latency = f"latency_{'ms' if unit == 1 else 'seconds'}"
    for name, values, of in (("status", grid.statuses, 1), (latency, grid.latencies, unit)):
        yield f"# TYPE intact_{name} gauge\n"
        for device, row in zip(grid.device_ids.tolist(), values.tolist(), strict=True):
            for tick, value in zip(ticks, row, strict=True):
                if value != NO_LATENCY:
                    yield f'intact_{name}{{device="{device}"}} {value / of:g} {tick}\n'
    yield "# EOF\n"
