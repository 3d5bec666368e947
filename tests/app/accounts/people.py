"""People with a browser, and the users behind them."""

import re
import time
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI

from app.accounts.audit import Actor
from app.accounts.guard import SESSION_COOKIE
from app.accounts.permissions import Role
from app.accounts.reach import Reach
from app.accounts.secrets import form_token_of
from app.accounts.sessions import Browser, open_session
from app.accounts.tables import User
from app.accounts.users import add_user, key_of
from app.database import Database
from tests.app.asking import Asker

PASSWORD = "correct horse battery"
SOMEBODY = Actor("somebody")


@dataclass
class Person:
    """Keeps cookies as a browser does, and asks for pages unless another `accept` is given."""

    app: FastAPI
    address: str = "10.0.0.7"
    scheme_headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        return self.cookies[SESSION_COOKIE]

    def get(self, path: str, accept: str = "text/html", **headers: str) -> httpx.Response:
        return self._ask("GET", path, headers={"accept": accept, **headers})

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with the session's form token, unless a field says otherwise."""
        if SESSION_COOKIE in self.cookies:
            fields = {"form_token": form_token_of(self.secret)} | fields
        return self._ask("POST", path, data=fields, headers={"accept": "text/html"})

    def send(self, method: str, path: str, json: object = None) -> httpx.Response:
        """As a page's script does: JSON, the form token in a header."""
        headers = {"accept": "application/json"}
        if SESSION_COOKIE in self.cookies:
            headers["x-form-token"] = form_token_of(self.secret)
        return self._ask(method, path, json=json, headers=headers)

    def sign_in(self, name: str, password: str = PASSWORD, next: str = "/") -> httpx.Response:
        """Fill the sign-in form in as it is shown."""
        form = self.get("/sign-in")
        found = re.search(r'name="form_token" value="([0-9a-f]+)"', form.text)
        assert found is not None
        fields = {"name": name, "password": password, "next": next, "form_token": found[1]}
        return self.post("/sign-in", **fields)

    def _ask(self, method: str, path: str, **options: object) -> httpx.Response:
        headers = {**self.scheme_headers, **options.pop("headers")}  # type: ignore[dict-item] # ours
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        asker = Asker(self.app, caller=None)
        answer = asker.ask(method, path, headers=headers, client=(self.address, 5_000), **options)
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer


def add(
    database: Database,
    name: str,
    role: Role = Role.OFFICE,
    reach: Reach | None = None,
    *,
    must_change: bool = False,
) -> None:
    """A user with the password of all tests."""
    with database.write() as session:
        add_user(
            session,
            name,
            role,
            reach or Reach(),
            PASSWORD,
            SOMEBODY,
            0,
            must_change=must_change,
        )


def signed_in(
    app: FastAPI,
    database: Database,
    role: Role,
    reach: Reach | None = None,
    name: str = "",
    at: float | None = None,
) -> Person:
    """Somebody of this role with a session of their own."""
    secret = session_of(database, role, reach, name, at)
    return Person(app, cookies={SESSION_COOKIE: secret})


def session_of(
    database: Database,
    role: Role,
    reach: Reach | None = None,
    name: str = "",
    at: float | None = None,
) -> str:
    """The secret of a new user's session, made without the work of a password."""
    name, now = name or f"one {role.value}", int(at or time.time())
    with database.write() as session:
        user = User(name=name, key=key_of(name), must_change_password=False, created_at=now)
        user.given(role, reach or Reach())
        session.add(user)
        session.flush()
        return open_session(session, user, Browser("10.0.0.7"), now)
