"""The languages of screen and messages: English in the code, Chinese from the catalogue.

Each subject may have a catalogue of its own; a language's `.po` files are read and merged at the
start, nothing compiled is kept. A text that is translated later than where it stands (a constant)
is marked with `message`.
"""

from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import Request

from app.errors import Remedy

PARAMETER = "lang"
COOKIE = "intact_lang"


class Language(StrEnum):
    """A language of the screen; the value is what `?lang=` says."""

    CHINESE = "zh"
    ENGLISH = "en"

    @property
    def tag(self) -> str:
        """What the page says of itself. Source: BCP 47."""
        return "zh-CN" if self is Language.CHINESE else "en"

    @property
    def own_name(self) -> str:
        """The language's name in itself, for those who can read no other."""
        return translations(self).gettext("English")


DEFAULT = Language.CHINESE


def message(text: str) -> str:
    """Mark a text for the catalogue without translating it yet."""
    return text


@cache
def translations(language: Language) -> NullTranslations:
    """The catalogue of a language; English is the language of the code and needs none."""
    if language is Language.ENGLISH:
        return NullTranslations()
    merged = Catalog(locale="zh_CN")
    for catalogue in catalogues().values():
        for entry in catalogue:
            if entry.id:
                merged[entry.id] = entry
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)


def retold(text: str, language: Language) -> str:
    """A text that was made of a template and values (`app.errors.Remedy`), in this language."""
    _ = translations(language).gettext
    if isinstance(text, Remedy):
        values = {
            name: retold(value, language) if isinstance(value, Remedy) else value
            for name, value in text.values.items()
        }
        return _(text.template) % values
    return _(text) if text else text


def catalogues() -> dict[str, Catalog]:
    """File name → catalogue, of all Chinese ones. A text may stand in several, translated alike."""
    folder = files("app.web") / "translations" / "zh_CN" / "LC_MESSAGES"
    found = {}
    for source in sorted(folder.iterdir(), key=lambda file: file.name):
        if source.name.endswith(".po"):
            with source.open("rb") as file:
                found[source.name] = read_po(file, locale="zh_CN")
    return found


def language_of(request: Request) -> Language:
    """`?lang=`, else the cookie that keeps it, else what the browser prefers, else Chinese."""
    chosen = request.query_params.get(PARAMETER), request.cookies.get(COOKIE)
    for value in chosen:
        if value in list(Language):
            return Language(value)
    return _preferred(request.headers.get("accept-language", ""))


def _preferred(header: str) -> Language:
    """The best of our languages in an Accept-Language header. Source: RFC 9110 §12.5.4."""
    weighted = []
    for place, part in enumerate(header.split(",")):
        name, _, parameters = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        if primary in list(Language):
            weighted.append((-_weight(parameters), place, Language(primary)))
    return min(weighted)[2] if weighted else DEFAULT


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def duration(seconds: int, language: Language) -> str:
    """A length of time in its two largest units, such as `3 h 20 min`."""
    _ = translations(language).gettext
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 120:
        return _("%(seconds)d s") % {"seconds": seconds}
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if hours < 24:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes % 60}
    return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours % 24}


def per_cent(figure: str, language: Language) -> str:
    """A figure of `kpi.rates.percent` as the language sets it: Chinese leaves out the space."""
    return figure.replace(" ", "") if language is Language.CHINESE else figure
