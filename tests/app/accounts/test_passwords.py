"""What is a password, and how long nobody may try another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.lockout import (
    FIRST_WAIT_S,
    FORGOTTEN_AFTER_S,
    FREE_OF_A_NAME,
    LONGEST_WAIT_S,
    counted,
    wait_s,
)
from app.accounts.passwords import hashed, made_up, matches, refuse_weak
from app.errors import BadParameter


@pytest.mark.parametrize(
    "password",
    [
        "",
        "x7!kQ2p",
        "x" * 129,
        "wangwei-7!kQ2p",
        "WANGWEI-7!kQ2p",
        "aaaaaaaaaaaa",
        "abababababab",
        "1234567890",
        "0987654321",
        "abcdefghijkl",
        "qwertyuiop",
        "password123",
        "Passw0rd2026",
        "admin12345",
        "一二三一二三一二三一二三",
    ],
)
def test_what_is_refused(password: str) -> None:
    with pytest.raises(BadParameter):
        refuse_weak(password, "wangwei")


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "x7!kQ2pzW9", "春眠不觉晓处处闻啼鸟", "my password is long"],
)
def test_what_will_do(password: str) -> None:
    refuse_weak(password, "wangwei")


def test_one_that_is_made_up_will_do() -> None:
    several = {made_up() for _ in range(50)}
    assert len(several) == 50
    for password in several:
        refuse_weak(password, "wangwei")


def test_is_kept_as_a_salted_hash() -> None:
    first, second = hashed("correct horse"), hashed("correct horse")
    assert first.startswith("$argon2id$")
    assert first != second
    assert matches("correct horse", first)
    assert not matches("correct horse ", first)
    assert not matches("correct horse", None)
    assert not matches("x" * 10_000, first)


@pytest.mark.parametrize(
    ("failures", "passed", "expected"),
    [
        (0, 0, 0),
        (4, 0, 0),
        (5, 0, 30),
        (5, 29, 1),
        (5, 30, 0),
        (6, 0, 60),
        (9, 0, 480),
        (10, 0, 900),
        (1_000_000, 0, 900),
        (1_000_000, 3_600, 0),
    ],
)
def test_waiting(failures: int, passed: int, expected: int) -> None:
    assert wait_s(failures, 1_000, FREE_OF_A_NAME, 1_000 + passed) == expected


@given(st.integers(0, 10_000), st.integers(0, 10 * FORGOTTEN_AFTER_S))
def test_a_wait_is_bounded_and_more_failures_never_shorten_it(failures: int, passed: int) -> None:
    one = wait_s(failures, 0, FREE_OF_A_NAME, passed)
    more = wait_s(failures + 1, 0, FREE_OF_A_NAME, passed)
    assert 0 <= one <= more <= LONGEST_WAIT_S
    assert more in range(LONGEST_WAIT_S + 1)
    assert FIRST_WAIT_S <= LONGEST_WAIT_S


def test_old_failures_are_forgotten() -> None:
    assert counted(4, 0, FORGOTTEN_AFTER_S - 1) == 5
    assert counted(4, 0, FORGOTTEN_AFTER_S) == 1
