"""The web application: puts the subjects' routers together and decides nothing."""

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import app.accounts.api
import app.accounts.audit_api
import app.accounts.management_pages
import app.accounts.pages
import app.accounts.wall_pages
import app.availability.api
import app.availability.device_pages
import app.availability.map_pages
import app.availability.month_pages
import app.availability.pages
import app.evidence.api
import app.evidence.exemptions.api
import app.evidence.host_api
import app.evidence.host_pages
import app.evidence.import_pages
import app.evidence.job_api
import app.evidence.probe_api
import app.evidence.probe_pages
import app.evidence.register_pages
import app.fleet.api
import app.fleet.change_api
import app.operations.alerts.api
import app.operations.alerts.pages
import app.operations.alerts.rule_api
import app.operations.alerts.rule_pages
import app.operations.city.api
import app.operations.city.pages
import app.operations.delivery.api
import app.operations.delivery.pages
import app.operations.explaining.api
import app.operations.faults.api
import app.operations.faults.pages
import app.operations.pages
import app.operations.seals.api
import app.operations.wall_pages
import app.operations.workbook.api
import app.web.docs
from app.accounts import guard
from app.accounts.guard import Allowed, public
from app.accounts.oidc_users import check_roles
from app.accounts.permissions import Permission
from app.availability.map_outline import read_outline
from app.config import Settings
from app.database import Database
from app.web import problems, security, shell
from app.web.requests import DatabaseDep
from app.web.too_large import ExplainingApplication

PREFIX = "/api/v1"
LARGEST_BODY = 64 * 1024
"""Bytes of a request; what takes files in allows itself more."""

health = APIRouter(tags=["health"], dependencies=[Depends(public)])
interface = APIRouter(
    include_in_schema=False, dependencies=[Depends(Allowed(Permission.READ_INTERFACE))]
)
interface.include_router(app.web.docs.router)


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


@interface.get("/openapi.json")
def show_description(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    application: FastAPI = request.app
    return JSONResponse(application.openapi())


def create_app(settings: Settings, database: Database, *, open_to_read: bool = False) -> FastAPI:
    """The application over one database; `open_to_read`: this machine may read without sign-in."""
    application = ExplainingApplication(
        title="Intact",
        summary="Operations monitor of a camera fleet",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        max_body_size=LARGEST_BODY,
    )
    application.state.settings = settings
    application.state.database = database
    application.state.open_to_read = open_to_read
    outline = settings.map_outline
    application.state.map_outline = None if outline is None else read_outline(outline)
    application.state.events = app.operations.wall_pages.wall_events(database, settings)
    problems.install(application)
    guard.install(application)
    security.install(application)
    proxies = [str(network) for network in settings.trusted_proxies]
    application.add_middleware(ProxyHeadersMiddleware, trusted_hosts=proxies)
    shell.install_static(application)
    for router in (
        app.availability.api.router,
        app.availability.map_pages.api_router,
        app.evidence.api.router,  # before the register: /devices/{code}/samples
        app.evidence.host_api.router,  # and /devices/{code}/clock
        app.evidence.job_api.router,
        app.evidence.probe_api.router,
        app.evidence.exemptions.api.router,
        app.fleet.change_api.router,  # and /devices/{code}/changes
        app.fleet.api.router,
        app.operations.alerts.api.router,
        app.operations.alerts.rule_api.router,
        app.operations.city.api.router,
        app.operations.explaining.api.router,
        app.operations.workbook.api.router,
        app.operations.faults.api.router,
        app.operations.delivery.api.router,
        app.operations.seals.api.router,
        app.accounts.api.router,
        app.accounts.audit_api.router,
    ):
        application.include_router(router, prefix=PREFIX)
    for router in (
        health,
        app.availability.api.metrics_router,
        app.operations.pages.router,
        app.operations.wall_pages.router,
        app.operations.alerts.pages.router,
        app.operations.alerts.rule_pages.router,
        app.operations.faults.pages.router,
        app.operations.delivery.pages.router,
        app.accounts.wall_pages.router,
        app.availability.pages.router,
        app.availability.month_pages.router,
        app.operations.city.pages.router,
        app.evidence.host_pages.router,
        app.availability.device_pages.router,
        app.evidence.probe_pages.router,
        app.availability.map_pages.router,
        app.evidence.import_pages.router,  # before the register: /register/{kind}
        app.evidence.register_pages.router,
        app.accounts.pages.router,
        app.accounts.management_pages.router,
        interface,
    ):
        application.include_router(router)
    if settings.oidc_issuer is not None:
        _add_provider(application, settings)
    return application


def _add_provider(application: FastAPI, settings: Settings) -> None:
    """The way to an OpenID provider. Raises `ConfigurationError` for a role that is none."""
    from app.accounts import oidc_pages  # 9 MB that a server without a provider does without

    check_roles(settings)
    application.include_router(oidc_pages.router)
