"""What a folder knows of the demonstration in it."""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import Refused

DATABASE = "intact.db"
MEMORY = "demonstration.json"


class Memory(BaseModel):
    """The fleet that is simulated, and whether its past has been written to the end."""

    model_config = ConfigDict(frozen=True)

    cameras: int
    rooms: int
    commissioned_on: date
    finished: bool = False


def recall(folder: Path) -> Memory | None:
    """The folder's finished demonstration; None where it is empty or was interrupted.

    What an interrupted one left is taken away. Raises `Refused` for a database of another kind.
    """
    file = folder / MEMORY
    if not file.exists():
        if (folder / DATABASE).exists():
            raise Refused(
                f"{folder} holds a database that is no demonstration; choose another --data."
            )
        return None
    try:
        memory = Memory.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise Refused(f"{file} cannot be read; choose another --data.") from error
    if memory.finished:
        return memory
    for leftover in folder.glob(f"{DATABASE}*"):
        leftover.unlink()
    return None


def remember(folder: Path, memory: Memory) -> None:
    """Write it down, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{MEMORY}.part"
    draft.write_text(memory.model_dump_json(indent=2), encoding="utf-8")
    draft.replace(folder / MEMORY)
