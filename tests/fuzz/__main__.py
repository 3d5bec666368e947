"""Coverage-guided fuzzing of what reads cameras, by atheris. `make test` does not need it.

    pip install -c constraints.txt '.[fuzz]'
    python -m tests.fuzz run reply --folder FOLDER --seconds 1200   # or http, challenge, …
    python -m tests.fuzz keep reply --folder FOLDER                 # minimise, replace the corpus

`run` begins with the kept corpus and the simulator's replies, puts what opens a new path into
FOLDER/NAME, and ends at the first finding: a traceback, and the input as FOLDER/NAME-crash-… .
`keep` writes the smallest set of inputs with the same coverage into `corpus/NAME.zip`, which
pytest replays in every run.
"""

import argparse
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.corpus import keep, kept
from tests.fuzz.properties import CHECKS
from tests.fuzz.seeds import seeds

_WORDS = Path(__file__).with_name("words.dict")
_LIMITS = ("-timeout=10", "-rss_limit_mb=700", "-max_len=8192", "-print_final_stats=1")


def main() -> int:
    """Returns what libFuzzer does: 0 where it found nothing."""
    asked = _arguments()
    folder: Path = asked.folder / asked.name
    return _keep(folder) if asked.command == "keep" else _run(folder, asked.seconds)


def _run(folder: Path, seconds: int) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for content in (*kept(folder.name), *seeds()[folder.name]):
        (folder / sha256(content).hexdigest()[:16]).write_bytes(content)
    ends = f"-max_total_time={seconds}"
    return _fuzz(folder.name, f"-dict={_WORDS}", ends, f"-artifact_prefix={folder}-", str(folder))


def _keep(folder: Path) -> int:
    with TemporaryDirectory() as smallest:
        code = _fuzz(folder.name, "-merge=1", smallest, str(folder))
        inputs = [path.read_bytes() for path in Path(smallest).iterdir()]
    if code == 0:
        keep(folder.name, inputs)
    return code


def _fuzz(name: str, *options: str) -> int:
    command = [sys.executable, "-m", "tests.fuzz.guided", name, *_LIMITS, *options]
    return subprocess.run(command, check=False).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["run", "keep"])
    parser.add_argument("name", choices=list(CHECKS))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=1200)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
