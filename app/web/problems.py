"""Errors: problem documents to programs (source: RFC 9457), pages to people."""

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.database import DATABASE_AWAY, in_short
from app.errors import BadParameter, ImportRefused, IntactError
from app.web.shell import render

log = structlog.get_logger()
INTERFACE = "/api/"
RETRY_AFTER_S = 5
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem document. `errors` names each parameter where several are wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    parameter: str | None = None
    errors: list[dict[str, Any]] | None = None


def install(app: FastAPI) -> None:
    """Let the application answer every error with a problem document."""
    app.add_exception_handler(IntactError, _ours)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _away)
    app.add_exception_handler(Exception, _defect)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What `responses=` of an endpoint says of its errors in the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, IntactError)  # noqa: S101 - for the type checker
    problem = _problem(request, error.status, error.title, str(error))
    if isinstance(error, BadParameter):
        problem.parameter = error.parameter
    if isinstance(error, ImportRefused):
        problem.errors = [asdict(each) for each in error.problems]
    return _answer(request, problem, error.headers)


async def _unreadable(request: Request, error: Exception) -> Response:
    """422 naming each parameter; what was given is not repeated, it may be a secret."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    errors = [
        {
            "parameter": ".".join(str(part) for part in entry["loc"][1:]) or "body",
            "in": str(entry["loc"][0]),
            "problem": str(entry["msg"]),
        }
        for entry in error.errors()
    ]
    detail = "; ".join(f"{entry['parameter']}: {entry['problem']}" for entry in errors)
    problem = _problem(request, 422, BadParameter.title, detail)
    problem.parameter = errors[0]["parameter"] if len(errors) == 1 else None
    problem.errors = list(errors)
    return _answer(request, problem)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    return answered(request, error.status_code, error.detail, error.headers)


async def _away(request: Request, error: Exception) -> Response:
    """503: the database is stopped, out of reach or busy for long; what it says goes to the log."""
    log.warning("request failed: the database is away", reason=in_short(error))
    detail = "The database does not answer. What is being collected is kept; ask again in a while."
    return answered(request, 503, detail, {"Retry-After": str(RETRY_AFTER_S)})


async def _defect(request: Request, _error: Exception) -> Response:
    """The error itself goes to the log, not to the caller."""
    detail = "The request failed by a defect of this program; its log says more."
    return _answer(request, _problem(request, 500, "Internal error", detail))


def answered(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An error that bears the name of its status."""
    return _answer(request, _problem(request, status, HTTPStatus(status).phrase, detail), headers)


def _problem(request: Request, status: int, title: str, detail: str) -> Problem:
    return Problem(title=title, status=status, detail=detail, instance=request.url.path)


def _answer(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    if is_page(request):
        page = render(request, "error.html", problem.status, problem=problem)
        page.headers.update(headers or {})
        return page
    document = problem.model_dump(exclude_none=True)
    return JSONResponse(document, problem.status, headers, media_type=MEDIA_TYPE)


def is_page(request: Request) -> bool:
    """Whether a person is looking: a browser asks for HTML, outside the interface."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith(INTERFACE)
