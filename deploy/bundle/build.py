"""Puts everything that an installation on a closed network needs into one archive (`make bundle`).

    intact-VERSION-pyX.Y-PLATFORM/
        install.sh VERSION PYTHON
        wheels/             Intact and all it depends on, in the versions of constraints.txt
        requirements.txt    each wheel by version and SHA-256; pip installs nothing else
        share/              systemd unit, proxy, Prometheus, Grafana, settings, operator's guides
        SHA256SUMS          of every file above

Run where packages can be reached, on a machine like the one that it is for: some wheels hold
machine code. The archive goes to `dist/`, its name is printed.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "intact_monitor"
SHARED = ("systemd", "nginx", "prometheus", "grafana", "intact.example.toml")
GUIDES = ("operating.md", "operating.zh-CN.md")


def main() -> None:
    """Build the archive."""
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch, "wheels")
        _collect_wheels(wheels)
        version = next(wheels.glob(f"{NAME}-*.whl")).name.split("-")[1]
        name = f"intact-{version}-py{_python()}-{sysconfig.get_platform()}"
        folder = Path(scratch, name)
        _lay_out(folder, wheels, version)
        print(_packed(folder))


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


def _collect_wheels(wheels: Path) -> None:
    """Intact's wheel and those of all that it depends on, as constraints.txt has them."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command += ["--constraint", "constraints.txt", "--wheel-dir", str(wheels), "."]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - pip of this interpreter


def _lay_out(folder: Path, wheels: Path, version: str) -> None:
    folder.mkdir()
    shutil.move(wheels, folder / "wheels")
    (folder / "requirements.txt").write_text(_requirements(folder / "wheels"), encoding="utf-8")
    (folder / "VERSION").write_text(f"{version}\n", encoding="utf-8")
    (folder / "PYTHON").write_text(f"{_python()}\n", encoding="utf-8")
    shutil.copy2(ROOT / "deploy" / "bundle" / "install.sh", folder)
    share = folder / "share"
    share.mkdir()
    for shared in SHARED:
        source = ROOT / "deploy" / shared
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, share / shared)
    for guide in GUIDES:
        shutil.copy2(ROOT / "docs" / guide, share)
    (folder / "SHA256SUMS").write_text(_sums(folder), encoding="utf-8")


def _requirements(wheels: Path) -> str:
    """`name==version --hash=sha256:…` of each wheel. Source: pip's hash-checking mode."""
    lines = []
    for wheel in sorted(wheels.iterdir()):
        name, version = wheel.name.split("-")[:2]
        lines.append(f"{name.replace('_', '-')}=={version} --hash=sha256:{_digest(wheel)}\n")
    return "".join(lines)


def _sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{_digest(path)}  {path.relative_to(folder)}\n" for path in files)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packed(folder: Path) -> Path:
    """The folder as one archive in `dist/`."""
    target = ROOT / "dist" / f"{folder.name}.tar.gz"
    target.parent.mkdir(exist_ok=True)
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, folder.name)
    return target


if __name__ == "__main__":
    main()
