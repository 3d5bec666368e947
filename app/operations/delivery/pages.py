"""Pages of who is told of alerts, and of the outbox."""

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.errors import BadParameter, IntactError
from app.operations.delivery import api, queries, recipients
from app.operations.delivery.queries import Wanted
from app.operations.delivery.recipients import ADDRESS_LENGTH, Wish
from app.operations.delivery.resending import send_again
from app.operations.delivery.tables import NAME_LENGTH, Channel, DeliveryState, Severity, Topics
from app.operations.delivery.wording import SEVERITY_WORDS
from app.operations.delivery.words import (
    CHANNEL_WORDS,
    EVENT_WORDS,
    LEAST_WORDS,
    STATE_CLASSES,
    STATE_WORDS,
    TOPIC_WORDS,
)
from app.web.language import DEFAULT, Language, language_of, message, translations
from app.web.navigation import Crumb
from app.web.requests import STORABLE, DatabaseDep, SettingsDep
from app.web.shell import render

router = APIRouter(include_in_schema=False)
reading = APIRouter(dependencies=[Depends(Allowed(Permission.READ_DELIVERY))])
managing = APIRouter(dependencies=[Depends(Allowed(Permission.MANAGE_DELIVERY))])

ROWS = 50
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Name = Annotated[str, Form(max_length=NAME_LENGTH, pattern=STORABLE)]
Address = Annotated[str, Form(max_length=ADDRESS_LENGTH, pattern=STORABLE)]
Done = Annotated[str, Query(pattern="^(|saved|deleted)$")]
FIELDS = {"name": message("Name"), "address": message("Address")}


# Recipients


@reading.get("/recipients", response_class=HTMLResponse)
def show_recipients(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    page: PageNumber = 1,
    done: Done = "",
) -> Response:
    """Who is told of alerts."""
    return _recipients(request, database, settings, page, done=done)


@managing.get("/recipients/new", response_class=HTMLResponse)
def new_recipient(request: Request) -> Response:
    """An empty form."""
    wish = Wish("", Channel.APPRISE, DEFAULT, Severity.INFO)
    return _form(request, None, wish)


@managing.post("/recipients/new", response_class=HTMLResponse)
def add_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    name: Name,
    address: Address,
    channel: Annotated[Channel, Form()],
    language: Annotated[Language, Form()],
    min_severity: Annotated[Severity, Form()],
    topics: Annotated[Topics, Form()] = Topics.ALL,
    enabled: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Add one, or show the form with what is wrong."""
    wish = Wish(name, channel, language, min_severity, bool(enabled), topics, address)
    try:
        tidy = recipients.checked(wish)
        with database.write() as session:
            recipients.add_recipient(session, settings, tidy, caller.actor, int(time.time()))
    except IntactError as wrong:
        return _form(request, None, wish, wrong)
    return RedirectResponse("/recipients?done=saved", 303)


@managing.get("/recipients/{recipient_id}/edit", response_class=HTMLResponse)
def edit_recipient(request: Request, database: DatabaseDep, recipient_id: api.RowId) -> Response:
    """The form of one; its address is not in it."""
    with database.read() as session:
        present = recipients.find_recipient(session, recipient_id)
    wish = Wish(
        present.name,
        Channel(present.channel),
        Language(present.language),
        Severity(present.min_severity),
        present.enabled,
        Topics(present.topics),
    )
    return _form(request, recipient_id, wish)


@managing.post("/recipients/{recipient_id}/edit", response_class=HTMLResponse)
def change_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    recipient_id: api.RowId,
    name: Name,
    channel: Annotated[Channel, Form()],
    language: Annotated[Language, Form()],
    min_severity: Annotated[Severity, Form()],
    topics: Annotated[Topics, Form()] = Topics.ALL,
    address: Address = "",
    enabled: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Save one, or show the form with what is wrong; an empty address is the present one."""
    wish = Wish(name, channel, language, min_severity, bool(enabled), topics, address or None)
    now = int(time.time())
    try:
        tidy = recipients.checked(wish)
        with database.write() as session:
            recipients.change_recipient(session, settings, recipient_id, tidy, caller.actor, now)
    except IntactError as wrong:
        return _form(request, recipient_id, wish, wrong)
    return RedirectResponse("/recipients?done=saved", 303)


@managing.post("/recipients/{recipient_id}/test", response_class=HTMLResponse)
def test_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    recipient_id: api.RowId,
) -> Response:
    """Send a test message; the page shows what came of it."""
    now = int(time.time())
    try:
        error = recipients.send_test(database, settings, recipient_id, caller.actor, now)
    except IntactError as wrong:
        return _recipients(request, database, settings, 1, wrong=wrong)
    return _recipients(request, database, settings, 1, tested=(recipient_id, error))


@managing.post("/recipients/{recipient_id}/enable", response_class=HTMLResponse)
def enable_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    recipient_id: api.RowId,
) -> Response:
    """Tell them of alerts from now on."""

    def change(session: Session) -> None:
        recipients.set_enabled(session, recipient_id, True, caller.actor, int(time.time()))

    return _changed(request, database, settings, change, "saved")


@managing.post("/recipients/{recipient_id}/disable", response_class=HTMLResponse)
def disable_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    recipient_id: api.RowId,
) -> Response:
    """Tell them no more."""

    def change(session: Session) -> None:
        recipients.set_enabled(session, recipient_id, False, caller.actor, int(time.time()))

    return _changed(request, database, settings, change, "saved")


@managing.post("/recipients/{recipient_id}/delete", response_class=HTMLResponse)
def delete_recipient(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    recipient_id: api.RowId,
) -> Response:
    """Tell them no more, and forget the address."""

    def change(session: Session) -> None:
        recipients.delete_recipient(session, recipient_id, caller.actor, int(time.time()))

    return _changed(request, database, settings, change, "deleted")


# The outbox


@reading.get("/deliveries", response_class=HTMLResponse)
def show_deliveries(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    state: Annotated[str, Query(pattern="^(|waiting|delivered|given_up)$")] = "",
    page: PageNumber = 1,
    done: Done = "",
) -> Response:
    """The messages about alerts, newest first."""
    return _deliveries(request, database, settings, state, page, done=done)


@managing.post("/deliveries/{delivery_id}/resend", response_class=HTMLResponse)
def resend_delivery(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    caller: api.Manager,
    delivery_id: api.RowId,
) -> Response:
    """Try again for a day to deliver what was given up."""
    try:
        with database.write() as session:
            send_again(session, delivery_id, caller.actor, int(time.time()))
    except IntactError as wrong:
        return _deliveries(request, database, settings, "given_up", 1, wrong=wrong)
    return RedirectResponse("/deliveries?done=saved", 303)


router.include_router(reading)
router.include_router(managing)


def _changed(
    request: Request,
    database: Database,
    settings: Settings,
    change: Callable[[Session], None],
    done: str,
) -> Response:
    try:
        with database.write() as session:
            change(session)
    except IntactError as wrong:
        return _recipients(request, database, settings, 1, wrong=wrong)
    return RedirectResponse(f"/recipients?done={done}", 303)


def _recipients(
    request: Request,
    database: Database,
    settings: Settings,
    page: int,
    *,
    done: str = "",
    tested: tuple[int, str | None] | None = None,
    wrong: IntactError | None = None,
) -> Response:
    found = api.list_recipients(database, settings, page, ROWS)
    names = {each.id: each.name for each in found.items}
    return render(
        request,
        "delivery/recipients.html",
        wrong.status if wrong else 200,
        recipients=found.items,
        page=page,
        page_count=_pages(found.total),
        done=done,
        tested=None if tested is None else (names.get(tested[0], ""), tested[1]),
        problem=_in_words(request, wrong),
        channels=CHANNEL_WORDS,
        least=LEAST_WORDS,
        topics=TOPIC_WORDS,
    )


def _form(
    request: Request, recipient_id: int | None, wish: Wish, wrong: IntactError | None = None
) -> Response:
    _ = translations(language_of(request)).gettext
    here = _("New recipient") if recipient_id is None else wish.name
    field = wrong.parameter if isinstance(wrong, BadParameter) else None
    return render(
        request,
        "delivery/recipient.html",
        wrong.status if wrong else 200,
        recipient_id=recipient_id,
        wish=wish,
        field=field,
        problem=_in_words(request, wrong),
        channels=CHANNEL_WORDS,
        least=LEAST_WORDS,
        topics=TOPIC_WORDS,
        spoken=list(Language),
        crumbs=[Crumb(_("Recipients"), "/recipients"), Crumb(here)],
    )


def _deliveries(
    request: Request,
    database: Database,
    settings: Settings,
    state: str,
    page: int,
    *,
    done: str = "",
    wrong: IntactError | None = None,
) -> Response:
    chosen = DeliveryState(state) if state else None
    found = api.delivery_page(database, settings, Wanted(chosen), page, ROWS)
    with database.read() as session:
        counts = {each: queries.count_deliveries(session, Wanted(each)) for each in DeliveryState}
    context: dict[str, Any] = {
        "deliveries": found.items,
        "counts": counts,
        "chosen": chosen,
        "done": done,
        "page": page,
        "page_count": _pages(found.total),
        "problem": _in_words(request, wrong),
        "states": STATE_WORDS,
        "classes": STATE_CLASSES,
        "severities": SEVERITY_WORDS,
        "events": EVENT_WORDS,
    }
    return render(request, "delivery/deliveries.html", wrong.status if wrong else 200, **context)


def _in_words(request: Request, wrong: IntactError | None) -> str | None:
    """What was wrong, in the reader's language."""
    if wrong is None:
        return None
    _ = translations(language_of(request)).gettext
    if isinstance(wrong, BadParameter):
        field = _(FIELDS.get(wrong.parameter, wrong.parameter))
        return f"{field}{_(': ')}{_(wrong.problem)}"
    return _(str(wrong))


def _pages(total: int) -> int:
    return max(1, -(-total // ROWS))
