"""Light or dark: what the reader chose, else what the system prefers."""

from enum import StrEnum

from fastapi import Request

from app.web.language import message

PARAMETER = "theme"
COOKIE = "intact_theme"


class Theme(StrEnum):
    """What `?theme=` and the cookie say; `AUTO` follows the system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"

    @property
    def label(self) -> str:
        """A text of the catalogue."""
        return _LABELS[self]

    @property
    def dark_media(self) -> str | None:
        """The media query under which the dark colours hold; None: never."""
        queries = {
            Theme.AUTO: "screen and (prefers-color-scheme: dark)",
            Theme.DARK: "screen",
        }
        return queries.get(self)


_LABELS = {
    Theme.AUTO: message("System colours"),
    Theme.LIGHT: message("Light"),
    Theme.DARK: message("Dark"),
}


def theme_of(request: Request) -> Theme:
    """`?theme=`, else the cookie that keeps it, else the system's."""
    for value in (request.query_params.get(PARAMETER), request.cookies.get(COOKIE)):
        if value in list(Theme):
            return Theme(value)
    return Theme.AUTO
