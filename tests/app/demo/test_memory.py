"""A folder and its demonstration: finished ones go on, others begin anew or not at all."""

from datetime import date
from pathlib import Path

import pytest

from app.demo.memory import DATABASE, MEMORY, Memory, recall, remember
from app.errors import Refused

BEGUN = Memory(cameras=20, rooms=2, commissioned_on=date(2026, 3, 1))


def test_nothing_is_there(tmp_path: Path) -> None:
    assert recall(tmp_path / "new") is None


def test_a_finished_one_goes_on(tmp_path: Path) -> None:
    finished = BEGUN.model_copy(update={"finished": True})
    remember(tmp_path / "new", finished)
    (tmp_path / "new" / DATABASE).touch()
    assert recall(tmp_path / "new") == finished
    assert (tmp_path / "new" / DATABASE).exists()


def test_an_interrupted_one_begins_anew(tmp_path: Path) -> None:
    remember(tmp_path, BEGUN)
    for name in (DATABASE, f"{DATABASE}-wal", "mine.txt"):
        (tmp_path / name).touch()
    assert recall(tmp_path) is None
    assert {path.name for path in tmp_path.iterdir()} == {MEMORY, "mine.txt"}


@pytest.mark.parametrize("content", [None, "{", '{"cameras": "many"}'])
def test_what_is_no_demonstration_is_left_alone(tmp_path: Path, content: str | None) -> None:
    (tmp_path / DATABASE).touch()
    if content is not None:
        (tmp_path / MEMORY).write_text(content)
    with pytest.raises(Refused, match="choose another --data"):
        recall(tmp_path)
    assert (tmp_path / DATABASE).exists()
