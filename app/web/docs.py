"""`/docs`: the OpenAPI document, shown by Swagger UI from our own files."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.web.shell import STATIC, render

router = APIRouter(include_in_schema=False)

VIEWER = STATIC / "vendor" / "swagger-ui-dist"


@router.get("/docs", response_class=HTMLResponse)
def show_interface(request: Request) -> HTMLResponse:
    """The REST interface. Without the viewer's files the page says how to get them."""
    installed = (VIEWER / "swagger-ui-bundle.js").is_file()
    return render(request, "docs.html", installed=installed)
