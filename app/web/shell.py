"""What all pages share: templates in the reader's language, navigation, static files."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from app.web.language import (
    COOKIE,
    PARAMETER,
    Language,
    duration,
    language_of,
    message,
    per_cent,
    translations,
)

STATIC = Path(__file__).parent / "static"
COOKIE_AGE_S = 365 * 86_400


@dataclass(frozen=True, slots=True)
class NavItem:
    """A place that the navigation leads to; `label` is a text of the catalogue."""

    path: str
    label: str


NAV = (NavItem("/", message("Overview")), NavItem("/docs", message("Interface")))
"""What stands in the head of every page, in this order; a page of its own joins here."""


def install_static(app: FastAPI) -> None:
    """Serve our own files and the third-party ones that the build brought."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")


@cache
def templates(language: Language) -> Environment:
    """The templates of one language; a name that a page was not given is an error."""
    environment = Environment(
        loader=PackageLoader("app.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue: Any = environment  # the extension's own methods are not typed
    catalogue.install_gettext_translations(translations(language), newstyle=True)
    environment.filters["per_cent"] = lambda figure: per_cent(figure, language)
    environment.filters["duration"] = lambda seconds: duration(seconds, language)
    environment.globals.update(language=language, nav=NAV)
    return environment


def render(request: Request, name: str, **context: Any) -> HTMLResponse:
    """A page in the reader's language; a choice by `?lang=` is kept in a cookie."""
    language = language_of(request)
    template = templates(language).get_template(name)
    page = template.render(
        path=request.url.path, languages=_language_links(request, language), **context
    )
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
    response = HTMLResponse(page, headers=headers)
    if request.query_params.get(PARAMETER) == language.value:
        response.set_cookie(COOKIE, language.value, COOKIE_AGE_S, httponly=True, samesite="lax")
    return response


def _language_links(request: Request, present: Language) -> list[tuple[Language, str | None]]:
    """Each language with the address of this page in it; None for the present one."""
    others = [(key, value) for key, value in request.query_params.multi_items() if key != PARAMETER]
    return [
        (each, None if each is present else f"?{urlencode([*others, (PARAMETER, each.value)])}")
        for each in Language
    ]
