"""What all pages share: templates in the reader's language, navigation, static files."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from app.web import language as languages
from app.web import theme as themes
from app.web.bars import sample_of
from app.web.language import Language, duration, language_of, per_cent, translations
from app.web.navigation import Visitor, navigation, nobody_may
from app.web.theme import Theme, theme_of
from app.web.words import CLASS_WORDS, ROOM_WORDS

STATIC = Path(__file__).parent / "static"
COOKIE_AGE_S = 365 * 86_400
SCREEN_FILES = ("templates/**/*.html", "static/js/*.js", "static/css/*.css")
Choice = TypeVar("Choice", Language, Theme)


class OwnFiles(StaticFiles):
    """Files that a browser asks about each time: after an upgrade no page shows an older one."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def install_static(app: FastAPI) -> None:
    """Serve our own files and the third-party ones that the build brought."""
    app.mount("/static", OwnFiles(directory=STATIC), name="static")


@cache
def version() -> str:
    """Differs after an upgrade that changed a page: one that stays open then loads itself anew."""
    web = STATIC.parent
    content = hashlib.sha256()
    for pattern in SCREEN_FILES:
        for path in sorted(web.glob(pattern)):
            content.update(path.read_bytes())
    return content.hexdigest()[:16]


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
    environment.filters["path"] = lambda code: quote(code, safe="")
    environment.globals.update(
        language=language, class_words=CLASS_WORDS, room_words=ROOM_WORDS, sample_of=sample_of
    )
    return environment


def render(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page in the reader's language and colours; a choice by `?lang=`, `?theme=` is kept.

    A page that is always dark passes `theme=Theme.DARK`.
    """
    language, theme = language_of(request), context.pop("theme", theme_of(request))
    visitor: Visitor | None = getattr(request.state, "caller", None)
    page = (
        templates(language)
        .get_template(name)
        .render(
            path=request.url.path,
            visitor=visitor,
            nav=navigation(request.url.path, visitor.may if visitor else nobody_may),
            theme=theme,
            languages=_choices(request, languages.PARAMETER, Language, language),
            themes=_choices(request, themes.PARAMETER, Theme, theme),
            **context,
        )
    )
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
    response = HTMLResponse(page, status, headers)
    _keep(request, response, languages.PARAMETER, languages.COOKIE, language)
    _keep(request, response, themes.PARAMETER, themes.COOKIE, theme)
    return response


def _keep(request: Request, response: Response, parameter: str, cookie: str, value: str) -> None:
    if request.query_params.get(parameter) == value:
        response.set_cookie(cookie, value, COOKIE_AGE_S, httponly=True, samesite="lax")


def _choices(
    request: Request, parameter: str, choices: type[Choice], present: Choice
) -> list[tuple[Choice, str | None]]:
    """Each choice with the address of this page under it; None for the present one."""
    given = request.query_params.multi_items()
    others: list[tuple[str, str]] = [(key, value) for key, value in given if key != parameter]
    return [
        (each, None if each is present else f"?{urlencode([*others, (parameter, each.value)])}")
        for each in choices
    ]
