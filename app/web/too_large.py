"""A request that is larger than its endpoint takes: 413, as a page or a problem document.

FastAPI's limit answers in two bare words, outside of all handlers and middleware that an
application can add. So this stands around everything else.
"""

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Remedy
from app.web.language import Language, language_of, message, retold
from app.web.problems import answered, is_page
from app.web.security import SecurityHeaders

TOO_LARGE = message("This is too large: %(limit)s at most are taken here.")


class ExplainingApplication(FastAPI):
    """An application that says how much would have been taken."""

    def build_middleware_stack(self) -> ASGIApp:
        return _Explained(super().build_middleware_stack())


class _Explained:
    """Another body for each 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_explained = False

        async def explain(message: Message) -> None:
            nonlocal is_explained
            if message["type"] == "http.response.start" and message["status"] == 413:
                is_explained = True
                await SecurityHeaders(_explanation(scope))(scope, receive, send)
            elif not is_explained:
                await send(message)

        await self._app(scope, receive, explain if scope["type"] == "http" else send)


def _explanation(scope: Scope) -> Response:
    request = Request(scope)
    limit = _size(scope[MAX_BODY_SIZE_SCOPE_KEY])
    language = language_of(request) if is_page(request) else Language.ENGLISH
    return answered(request, 413, retold(Remedy(TOO_LARGE, limit=limit), language))


def _size(limit: int) -> str:
    """Bytes as people read them."""
    return f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB"
