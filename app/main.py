"""The web application: puts the subjects' routers together and decides nothing."""

from fastapi import APIRouter, FastAPI, Response
from sqlalchemy import text

import app.availability.api
import app.evidence.api
import app.evidence.host_api
import app.fleet.api
import app.operations.api
import app.operations.pages
import app.web.docs
from app.config import Settings
from app.database import Database
from app.web import problems, security, shell
from app.web.requests import DatabaseDep

PREFIX = "/api/v1"
health = APIRouter(tags=["health"])


@health.get("/healthz", response_class=Response)
def is_alive() -> Response:
    """The process answers."""
    return Response("ok\n", media_type="text/plain")


@health.get("/readyz", response_class=Response)
def is_ready(database: DatabaseDep) -> Response:
    """The database answers too."""
    with database.read() as session:
        session.execute(text("SELECT 1"))
    return Response("ok\n", media_type="text/plain")


def create_app(settings: Settings, database: Database) -> FastAPI:
    """The application over one database."""
    application = FastAPI(
        title="Intact",
        summary="Operations monitor of a camera fleet",
        version="1",
        docs_url=None,
        redoc_url=None,
    )
    application.state.settings = settings
    application.state.database = database
    problems.install(application)
    security.install(application)
    shell.install_static(application)
    for router in (
        app.availability.api.router,
        app.evidence.api.router,  # before the register: /devices/{code}/samples
        app.evidence.host_api.router,  # and /devices/{code}/clock
        app.fleet.api.router,
        app.operations.api.router,
    ):
        application.include_router(router, prefix=PREFIX)
    for router in (
        health,
        app.availability.api.metrics_router,
        app.operations.pages.router,
        app.web.docs.router,
    ):
        application.include_router(router)
    return application
