"""The programs that read the files of `deploy/`; each is in .ci/debian-packages."""

import os
import shutil
import subprocess

import pytest


def program(name: str) -> str:
    """Where it is; a missing one is a reason to skip, but not in CI."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed here")
    assert found is not None, f"{name} is not installed"
    return found


def checked_by(name: str, *arguments: str) -> str:
    """What a checker says to files that it takes."""
    done = subprocess.run(
        [program(name), *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
