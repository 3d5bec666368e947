"""The command `intact`, run as from a shell."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]
"""(arguments, `typed`: what stands on standard input) -> what it printed and its exit code."""


def shell(data_dir: Path, **settings: str) -> Run:
    """`intact` with a database of its own and these settings (names in upper case)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INTACT_")}
    environment = clean | {"INTACT_DATA_DIR": str(data_dir)}
    environment |= {f"INTACT_{name}": value for name, value in settings.items()}

    def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
