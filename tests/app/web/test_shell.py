"""The shell: language, headers, the interface's page, and that every text has its translation."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from fastapi import FastAPI

import app.web
from app.web import docs, problems, security, shell
from app.web.language import Language, catalogues, duration, per_cent, translations
from tests.app.asking import Asker

APP = Path(app.web.__file__).parents[1]
ROOT = APP.parent
KEPT = ("?theme=dark", "?theme=light")


@pytest.fixture
def visitor() -> Asker:
    application = FastAPI(docs_url=None, redoc_url=None)
    problems.install(application)
    security.install(application)
    shell.install_static(application)
    application.include_router(docs.router)
    return Asker(application)


@pytest.mark.parametrize(
    ("query", "headers", "tag"),
    [
        ("", {}, "zh-CN"),
        ("", {"accept-language": "en-GB,en;q=0.9"}, "en"),
        ("", {"accept-language": "de,zh-TW;q=0.5,en;q=0.4"}, "zh-CN"),
        ("", {"accept-language": "zh;q=0.3, en;q=0.8"}, "en"),
        ("", {"accept-language": "fr, *;q=0.1, en;q=x"}, "en"),
        ("", {"accept-language": "fr"}, "zh-CN"),
        ("", {"accept-language": "zh", "cookie": "intact_lang=en"}, "en"),
        ("?lang=zh", {"accept-language": "en", "cookie": "intact_lang=en"}, "zh-CN"),
        ("?lang=xx", {"cookie": "intact_lang=yy"}, "zh-CN"),
    ],
)
def test_language_is_chosen(visitor: Asker, query: str, headers: dict[str, str], tag: str) -> None:
    answer = visitor.get(f"/docs{query}", **headers)
    assert f'<html lang="{tag}" ' in answer.text
    assert answer.headers["vary"] == "Accept-Language, Cookie"


def test_choice_is_kept_in_a_cookie(visitor: Asker) -> None:
    assert "intact_lang=en" in visitor.get("/docs?lang=en").headers["set-cookie"]
    assert "HttpOnly" in visitor.get("/docs?lang=en").headers["set-cookie"]
    for query in ("", "?lang=xx"):
        assert "set-cookie" not in visitor.get(f"/docs{query}").headers


def test_other_language_keeps_the_rest_of_the_address(visitor: Asker) -> None:
    page = visitor.get("/docs?lang=zh&q=%22%3E%3Cscript%3E").text
    assert 'href="?q=%22%3E%3Cscript%3E&amp;lang=en"' in page


@pytest.mark.parametrize("path", ["/docs", "/static/css/base.css", "/nowhere", "/openapi.json"])
def test_every_answer_carries_the_headers(visitor: Asker, path: str) -> None:
    headers = visitor.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("installed", [True, False])
def test_interface_page(
    visitor: Asker, installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installed:
        (tmp_path / "swagger-ui-bundle.js").touch()
    monkeypatch.setattr(docs, "VIEWER", tmp_path)
    page = visitor.get("/docs?lang=en").text
    assert ("swagger-ui-bundle.js" in page) is installed
    assert ("pip install --editable ." in page) is not installed
    assert not re.search(r"<script>|style=|https?://", page)


def test_start_script_asks_no_other_host(visitor: Asker) -> None:
    script = visitor.get("/static/js/docs.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "//" not in script.text.replace("// Our own", "")


def test_stylesheets_are_complete_in_themselves() -> None:
    styles = list(shell.STATIC.glob("css/*.css"))
    assert len(styles) > 5
    for style in styles:
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text
        assert "url(" not in text


def test_both_colour_schemes_name_the_same_colours() -> None:
    light, dark = (
        set(re.findall(r"--[a-z-]+(?=:)", (shell.STATIC / "css" / name).read_text("utf-8")))
        for name in ("light.css", "dark.css")
    )
    assert light == dark


@pytest.mark.parametrize(
    ("query", "cookie", "media"),
    [
        ("", "", "screen and (prefers-color-scheme: dark)"),
        ("?theme=dark", "", "screen"),
        ("", "intact_theme=dark", "screen"),
        ("?theme=light", "intact_theme=dark", None),
        ("?theme=x", "intact_theme=y", "screen and (prefers-color-scheme: dark)"),
    ],
)
def test_colours_are_chosen(visitor: Asker, query: str, cookie: str, media: str | None) -> None:
    answer = visitor.get(f"/docs{query}", cookie=cookie)
    found = re.search(r'dark\.css" media="([^"]+)"', answer.text)
    assert (found.group(1) if found else None) == media
    assert ("intact_theme=" in answer.headers.get("set-cookie", "")) is (query in KEPT)


def test_locked_assets_name_no_host() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "http" not in text
    assert "resolved" not in text
    assert all(entry["integrity"] for name, entry in packages.items() if name)


# The catalogue


def _texts() -> Iterator[str]:
    keywords = {"_": None, "gettext": None, "message": None, "Remedy": None, "ngettext": (1, 2)}
    methods = [("web/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    options = {"web/templates/**.html": {"trimmed": "true"}}
    found = extract_from_dir(APP, methods, options, keywords=keywords)
    for _file, _line, texts, _comments, _context in found:
        yield _first(texts)


def _first(texts: Any) -> str:
    """The text itself, or the singular of one that has a plural."""
    first: str = texts if isinstance(texts, str) else texts[0]
    return first


def test_every_text_has_its_translation() -> None:
    present: dict[str, str] = {}
    for name, catalogue in catalogues().items():
        assert [problem for entry in catalogue for problem in entry.check(catalogue)] == []
        for entry in catalogue:
            text, translation = _first(entry.id), _first(entry.string)
            assert present.setdefault(text, translation) == translation or not text, name
    texts = set(_texts())
    assert len(texts) > 50
    assert sorted(text for text in texts if not present.get(text)) == []
    assert sorted(set(present) - texts - {""}) == [], "nobody says this any more"


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (0, "0 s", "0 秒"),
        (119, "119 s", "119 秒"),
        (120, "2 min", "2 分钟"),
        (3599, "59 min", "59 分钟"),
        (3 * 3600 + 61, "3 h 1 min", "3 小时 1 分"),
        (49 * 3600, "2 d 1 h", "2 天 1 小时"),
    ],
)
def test_length_of_time(seconds: int, english: str, chinese: str) -> None:
    assert duration(seconds, Language.ENGLISH) == english
    assert duration(seconds, Language.CHINESE) == chinese


def test_per_cent_as_the_language_sets_it() -> None:
    assert per_cent("97.41 %", Language.ENGLISH) == "97.41 %"
    assert per_cent("97.41 %", Language.CHINESE) == "97.41%"


def test_languages_name_themselves() -> None:
    assert [each.own_name for each in Language] == ["中文", "English"]
    assert translations(Language.CHINESE) is translations(Language.CHINESE)
