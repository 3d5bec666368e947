"""Intact behind nginx as we ship it, over TLS: what passes, what is believed, what is refused."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from app.accounts.guard import SESSION_COOKIE
from app.accounts.pages import FORM_COOKIE
from app.accounts.permissions import Role
from app.accounts.secrets import form_token_of
from app.accounts.tables import AuditEntry, SignInFailures
from app.database import Database
from app.evidence.uploads import LARGEST_UPLOAD
from collectors.simulator.running import free_port, running_fleet
from tests.app.accounts.people import PASSWORD, add, session_of
from tests.app.processes import PATIENCE_S, eventually, installed, serving
from tests.deploy.proxy import SERVER_NAME, Ports, running_proxy

OURS, CLIENT = "127.0.0.1", "127.0.0.23"
"""Where proxy and server are, and the client."""
EVIL = "evil.example"
FORGED = {"X-Forwarded-For": OURS, "X-Real-IP": OURS, "Forwarded": f"for={OURS}"}
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')
MULTIPART_BYTES = 4096
"""More than what stands around a file in its form."""


@dataclass(frozen=True, slots=True)
class Site:
    """The served site, and the database behind it."""

    ports: Ports
    folder: Path
    environment: dict[str, str]
    database: Database

    def browser(self, address: str = CLIENT, **cookies: str) -> httpx.Client:
        """A client that trusts the site's certificate only, and follows no redirect."""
        trusted = ssl.create_default_context(cafile=str(self.folder / "intact.crt"))
        return httpx.Client(
            base_url=f"https://{OURS}:{self.ports.https}",
            transport=_Named(httpx.HTTPTransport(verify=trusted, local_address=address)),
            headers={"Host": SERVER_NAME, "Accept": "text/html"},
            timeout=PATIENCE_S,
            cookies=cookies,
        )

    def signed_in(self, role: Role) -> httpx.Client:
        name = f"{role.value} {uuid4().hex}"
        return self.browser(**{SESSION_COOKIE: session_of(self.database, role, name=name)})


class _Named(httpx.BaseTransport):
    """Asks 127.0.0.1 for the certificate of the site's name."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = SERVER_NAME
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """nginx, `intact serve` with `trusted_proxies` as the guide has it, two cameras, a room."""
    folder = tmp_path_factory.mktemp("site")
    settings = {"INTACT_TRUSTED_PROXIES": OURS, "INTACT_METRICS_ALLOWED": OURS}
    with running_fleet(cameras=2, rooms=1) as fleet:
        environment = installed(folder, fleet, **settings)
        database = Database(f"sqlite:///{folder / 'data' / 'intact.db'}")
        with serving(environment) as (_process, address):
            ports = Ports(free_port(), free_port(), int(address.rpartition(":")[2]))
            with running_proxy(folder, ports):
                site = Site(ports, folder, environment, database)
                eventually(lambda: _answers(site), "the site")
                yield site
        database.close()


def _answers(site: Site) -> bool:
    with site.browser() as browser:
        try:
            return browser.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False


def sign_in(browser: httpx.Client, password: str = PASSWORD, **changed: str) -> httpx.Response:
    """Fill the form in as it is shown, and send it with what a liar would add."""
    found = FORM_TOKEN.search(browser.get("/sign-in").text)
    assert found is not None
    fields = {"name": "wang", "password": password, "form_token": found[1]} | changed
    return browser.post("/sign-in", data=fields, headers=FORGED)


def test_signing_in_gives_a_secure_cookie(site: Site) -> None:
    add(site.database, "wang")
    with site.browser() as browser:
        assert sign_in(browser, form_token="0" * 64).status_code == 403
        assert SESSION_COOKIE not in browser.cookies
        answer = sign_in(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert "max-age" in answer.headers["strict-transport-security"]
        cookies = {cookie.name: cookie for cookie in browser.cookies.jar}
        assert {SESSION_COOKIE, FORM_COOKIE} <= set(cookies)
        assert all(cookie.secure for cookie in cookies.values())
        assert "wang" in browser.get("/").text


def test_the_address_is_the_clients_whatever_it_says(site: Site) -> None:
    with site.browser() as browser:
        assert sign_in(browser, "wrong horse battery").status_code == 401
    with site.database.read() as session:
        told = session.scalars(
            select(AuditEntry.address).where(AuditEntry.action.startswith("session."))
        ).all()
        counted = session.scalars(
            select(SignInFailures.key).where(SignInFailures.key.startswith("address:"))
        ).all()
    assert told
    assert set(told) == {CLIENT}
    assert counted == [f"address:{CLIENT}"]


def test_an_event_arrives_while_the_stream_stays_open(site: Site) -> None:
    """The news of a sweep that ends after the page was opened."""
    with (
        site.signed_in(Role.OFFICE) as browser,
        browser.stream("GET", "/events", params={"only": "news"}) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        states = (data for event, data in pairwise(lines) if event == "event: state")
        assert next(states) != next(states)
        assert not stream.is_closed


@pytest.mark.parametrize(
    ("size", "status", "says"),
    [
        (LARGEST_UPLOAD - MULTIPART_BYTES, 303, ""),
        (LARGEST_UPLOAD + 1, 413, "最多 16 MiB"),  # Intact itself
        (LARGEST_UPLOAD + (2 << 20), 413, "16 MiB at most"),  # nginx
    ],
)
def test_uploads_pass_up_to_the_limit(site: Site, size: int, status: int, says: str) -> None:
    with site.signed_in(Role.SYSTEM_ADMIN) as browser:
        fields = {"what": "devices", "form_token": form_token_of(browser.cookies[SESSION_COOKIE])}
        file = {"file": ("register.csv", bytes(size))}
        answer = browser.post("/register/import", data=fields, files=file)
    assert answer.status_code == status
    assert says in answer.text


@pytest.mark.parametrize("host", [SERVER_NAME, EVIL, f"{EVIL}:443", f"{SERVER_NAME}.{EVIL}"])
def test_http_leads_to_https_of_this_site_alone(site: Site, host: str) -> None:
    address = f"http://{OURS}:{site.ports.http}/devices?q=a%20b"
    answer = httpx.get(address, headers={"Host": host}, trust_env=False)
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{SERVER_NAME}/devices?q=a%20b"


def test_no_redirect_of_ours_follows_the_host_that_is_named(site: Site) -> None:
    with site.browser() as browser:
        answer = browser.get("/months/", headers={"Host": EVIL, "X-Forwarded-Host": EVIL})
    assert answer.status_code == 307
    assert answer.headers["location"] == f"https://{SERVER_NAME}/months"


@pytest.mark.parametrize(
    "target", ["/metrics", "/metrics/", "//metrics", "/./metrics", "/%6detrics", "/metrics?x=/a"]
)
@pytest.mark.parametrize("address", [OURS, CLIENT])
def test_metrics_are_not_for_the_outside(site: Site, target: str, address: str) -> None:
    """Not even for an address that Intact itself would answer."""
    with site.browser(address) as browser:
        extensions = {"target": target.encode()}
        answer = browser.get("/", headers=FORGED, extensions=extensions)
    assert "intact_fleet" not in answer.text
    assert answer.status_code in (307, 403)


def test_metrics_are_there_for_this_host(site: Site) -> None:
    answer = httpx.get(f"http://{OURS}:{site.ports.intact}/metrics", trust_env=False)
    assert "intact_fleet" in answer.text
