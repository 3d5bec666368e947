"""Errors of the REST interface as problem documents. Source: RFC 9457."""

from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.errors import BadParameter, ImportRefused, IntactError

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
    app.add_exception_handler(Exception, _defect)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What `responses=` of an endpoint says of its errors in the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, IntactError)  # noqa: S101 - for the type checker
    problem = _problem(request, error.status, error.title, str(error))
    if isinstance(error, BadParameter):
        problem.parameter = error.parameter
    if isinstance(error, ImportRefused):
        problem.errors = [asdict(each) for each in error.problems]
    return _answer(problem)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
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
    return _answer(problem)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    title = HTTPStatus(error.status_code).phrase
    return _answer(_problem(request, error.status_code, title, error.detail), error.headers)


async def _defect(request: Request, _error: Exception) -> JSONResponse:
    """The error itself goes to the log, not to the caller."""
    detail = "The request failed by a defect of this program; its log says more."
    return _answer(_problem(request, 500, "Internal error", detail))


def _problem(request: Request, status: int, title: str, detail: str) -> Problem:
    return Problem(title=title, status=status, detail=detail, instance=request.url.path)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    document = problem.model_dump(exclude_none=True)
    return JSONResponse(document, problem.status, headers, media_type=MEDIA_TYPE)
