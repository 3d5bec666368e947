"""A process that delivers what is due at a given time, and kills itself at one step of it.

Arguments: database URL, data folder, instant, and the step before which it dies: `claim`, `send`,
`note`; or `none`. It prints its own id before it begins.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from app.config import Settings
from app.database import Database
from app.operations.delivery.sending import Courier, deliver

STEPS = {"claim": "_claim", "send": "_send", "note": "_note"}


def die(*_arguments: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, folder: str, now: int, step: str) -> None:
    if step in STEPS:
        setattr(Courier, STEPS[step], die)
    print(os.getpid(), flush=True)
    database = Database(url)
    deliver(database, Settings(data_dir=Path(folder)), now)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
