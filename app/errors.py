"""Errors that reach the user.

IntactError                 what was wrong and what to do; carries its HTTP status
├── ConfigurationError      settings; every problem at once
├── NotFound                404: a code that the register does not hold
├── BadParameter            422: one parameter of a request or command
├── Refused                 409: a state that does not allow it
├── SignInRequired          401: nobody is signed in, and no token was given
├── Forbidden               403: rights that do not reach so far
└── ImportRefused           422: a file; row, column, value and remedy of the first 100 mistakes
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


class IntactError(Exception):
    """What was wrong and what to do, in words for the user."""

    status = 500
    title = "Error"
    headers: Mapping[str, str] = {}


class ConfigurationError(IntactError):
    """Settings that cannot be used; `problems` names each one with its remedy."""

    title = "Configuration"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class NotFound(IntactError):
    """A code that the register does not hold."""

    status = 404
    title = "Not found"

    def __init__(self, what: str, code: str) -> None:
        super().__init__(f"There is no {what} with the code {code!r}.")


class BadParameter(IntactError):
    """One parameter of a request or command."""

    status = 422
    title = "Bad parameter"

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class Refused(IntactError):
    """What the present state does not allow."""

    status = 409
    title = "Refused"


class SignInRequired(IntactError):
    """Nobody is signed in, and no token was given."""

    status = 401
    title = "Sign-in required"
    headers = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012 - as the class above declares it


class Forbidden(IntactError):
    """Rights that do not reach so far."""

    status = 403
    title = "Forbidden"


class Remedy(str):
    """A text for the user that knows its template and values, to be told in another language."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> Self:
        """`template` holds `%(name)s` for each of the values, and is a text of the catalogue."""
        text = super().__new__(cls, template % values)
        text.template, text.values = template, values
        return text


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One mistake in a file. `row` counts lines of data as a spreadsheet does: the header is 1."""

    row: int
    column: str
    value: str
    remedy: str

    def __str__(self) -> str:
        shown = f" {self.value!r}" if self.value else ""
        return f"row {self.row}, {self.column}{shown}: {self.remedy}"


class ImportRefused(IntactError):
    """A file with mistakes; nothing of it was taken over."""

    status = 422
    title = "Import refused"
    shown = 100

    def __init__(self, file: str, problems: Sequence[RowProblem], total: int | None = None) -> None:
        self.file = file
        self.problems = list(problems[: self.shown])
        self.total = len(problems) if total is None else total
        more = self.total - len(self.problems)
        lines = [f"{file}: {self.total} mistake(s), nothing was imported."]
        lines += [f"  {problem}" for problem in self.problems]
        if more:
            lines.append(f"  … and {more} more")
        super().__init__("\n".join(lines))
