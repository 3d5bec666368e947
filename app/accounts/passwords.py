"""Passwords: how they are kept (argon2id), what is refused, how one is made up."""

import secrets
from itertools import pairwise
from threading import BoundedSemaphore

from pwdlib import PasswordHash

from app.errors import BadParameter
from app.web.language import message

SHORTEST, LONGEST = 10, 128
LEAST_DIFFERENT = 5
COMMON = (
    "0123456789",
    "9876543210",
    "abcdefghij",
    "qwertyuiop",
    "asdfghjkl",
    "1q2w3e4r5t",
    "1qaz2wsx3e",
    "password",
    "passw0rd",
    "admin",
    "intact",
    "woaini",
)
"""What guessers try first; a password that is little else is refused."""
LEAST_BESIDE_COMMON = 6
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is easily misread."""

_hasher = PasswordHash.recommended()
_few_at_a_time = BoundedSemaphore(2)
"""Each takes 64 MiB: many sign-ins at once wait for one another instead of filling the memory."""
_NOBODY = _hasher.hash(secrets.token_urlsafe())


def hashed(password: str) -> str:
    with _few_at_a_time:
        return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether it is the password; takes as long where there is none to compare with."""
    if len(password) > LONGEST:
        password, stored = "", None
    with _few_at_a_time:
        right = _hasher.verify(password, stored or _NOBODY)
    return right and stored is not None


def refuse_weak(password: str, user_name: str) -> None:
    """Raises `BadParameter` for a password that is short, silly, or holds the user's name."""
    lowered = password.casefold()
    rest = lowered
    for word in COMMON:
        rest = rest.replace(word, "")
    if not SHORTEST <= len(password) <= LONGEST:
        problem = message("must have 10 to 128 characters")
    elif user_name.casefold() in lowered:
        problem = message("must not contain the user's name")
    elif len(set(lowered)) < LEAST_DIFFERENT or _runs_on(lowered):
        problem = message("is too easily guessed: few different characters, or one after another")
    elif rest != lowered and len(rest) < LEAST_BESIDE_COMMON:
        problem = message("is too easily guessed: a common word or row of keys is most of it")
    else:
        return
    raise BadParameter("password", problem)


def made_up() -> str:
    """A password of 79 bits, in groups that can be read out."""
    letters = [secrets.choice(ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def _runs_on(text: str) -> bool:
    """Whether most characters merely follow the one before, such as 12345 or 99999."""
    steps = [ord(after) - ord(before) for before, after in pairwise(text)]
    return sum(step in (-1, 0, 1) for step in steps) > 0.7 * len(steps)
