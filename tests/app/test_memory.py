"""What the processes that live for months do not hold in memory."""

import subprocess
import sys

import pytest

from app.memory import give_back, keep_lean

WEB_FRAMEWORK = ("fastapi", "starlette", "uvicorn", "jinja2", "babel", "prometheus_client")
WORKBOOKS = ("openpyxl", "xlsxwriter", "docx")
ARCHIVE = ("pyarrow", "duckdb")
DEVICE_LIBRARIES = ("zeep", "onvif", "requests", "icmplib", "uvloop")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("app.schedule", (*WEB_FRAMEWORK, *WORKBOOKS, *ARCHIVE, "zeep", "onvif", "pwdlib")),
        ("app.serving", (*WORKBOOKS, *ARCHIVE, *DEVICE_LIBRARIES)),
    ],
)
def test_a_process_starts_without(module: str, unwanted: tuple[str, ...]) -> None:
    program = f"import sys, app.cli, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert module in loaded
    assert [name for name in unwanted if name in loaded] == []


@pytest.mark.skipif(sys.platform != "linux", reason="figures of /proc")
def test_what_is_freed_goes_back() -> None:
    """Between blocks that stay, half of 64 MB is freed: glibc would keep it."""
    keep_lean()
    blocks = [bytearray(32 * 1024) for _ in range(2048)]
    before = resident_kb()
    del blocks[::2]
    give_back()
    assert resident_kb() < before - 16 * 1024
    assert len(blocks) == 1024


def resident_kb() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
