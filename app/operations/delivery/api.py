"""REST: who is told of alerts, and what became of each message."""

import time
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, SecretStr

from app.accounts.caller import Caller
from app.accounts.guard import Allowed
from app.accounts.permissions import Permission
from app.config import Settings
from app.database import Database
from app.errors import NotFound, Refused
from app.operations.delivery import queries, recipient_queries, recipients
from app.operations.delivery.queries import Wanted
from app.operations.delivery.recipients import ADDRESS_LENGTH, Wish
from app.operations.delivery.resending import send_again
from app.operations.delivery.tables import (
    NAME_LENGTH,
    Channel,
    DeliveryState,
    Notification,
    Recipient,
    Severity,
    Topics,
)
from app.web.language import DEFAULT, Language
from app.web.problems import problem_responses
from app.web.requests import STORABLE, DatabaseDep, SettingsDep

router = APIRouter(tags=["delivery"])
Reader = Depends(Allowed(Permission.READ_DELIVERY))
Manager = Annotated[Caller, Depends(Allowed(Permission.MANAGE_DELIVERY))]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
PageSize = Annotated[int, Query(ge=1, le=500)]
Name = Annotated[str, Field(max_length=NAME_LENGTH, pattern=STORABLE)]
Address = Annotated[SecretStr, Field(max_length=ADDRESS_LENGTH)]


class RecipientItem(BaseModel):
    """A recipient. Its address is never told."""

    id: int
    name: str
    channel: Channel
    language: Language
    min_severity: Severity
    topics: Topics
    enabled: bool
    from_settings: bool = Field(description="It is INTACT_WEBHOOK_URL, and changed there")
    changed_at: datetime
    tested_at: datetime | None


class RecipientPage(BaseModel):
    """One page of the recipients, by name; `total` counts them all."""

    total: int
    page: int
    page_size: int
    items: list[RecipientItem]


class NewRecipient(BaseModel):
    """`address`: an address of apprise, such as `mailtos://…`, or a URL for the other channels."""

    name: Name
    channel: Channel
    address: Address
    language: Language = DEFAULT
    min_severity: Severity = Severity.INFO
    topics: Topics = Topics.ALL
    enabled: bool = True


class RecipientChange(BaseModel):
    """What is to be changed; the rest stays. Another channel needs another address."""

    name: Name | None = None
    channel: Channel | None = None
    address: Address | None = None
    language: Language | None = None
    min_severity: Severity | None = None
    topics: Topics | None = None
    enabled: bool | None = None


class Tested(BaseModel):
    """What came of a test: `error` is what went wrong."""

    delivered: bool
    error: str | None


class DeliveryItem(BaseModel):
    """A message of the outbox; `recipient` is null once that has been deleted."""

    id: int
    alert_id: int | None
    recipient: str | None
    event: str
    severity: Severity
    state: DeliveryState
    summary: dict[str, str]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    delivered_at: datetime | None
    given_up_at: datetime | None
    last_error: str | None


class DeliveryPage(BaseModel):
    """One page of the outbox, newest first; `total` counts all that were selected."""

    total: int
    page: int
    page_size: int
    items: list[DeliveryItem]


@router.get("/recipients", dependencies=[Reader], responses=problem_responses(422))
def list_recipients(
    database: DatabaseDep, settings: SettingsDep, page: PageNumber = 1, page_size: PageSize = 100
) -> RecipientPage:
    """Who is told of alerts."""
    with database.read() as session:
        total = recipient_queries.count_recipients(session)
        found = recipient_queries.read_recipients(session, (page - 1) * page_size, page_size)
    items = [recipient_item(each, settings.zone) for each in found]
    return RecipientPage(total=total, page=page, page_size=page_size, items=items)


@router.get(
    "/recipients/{recipient_id}", dependencies=[Reader], responses=problem_responses(404, 422)
)
def show_recipient(
    database: DatabaseDep, settings: SettingsDep, recipient_id: RowId
) -> RecipientItem:
    """One recipient."""
    with database.read() as session:
        return recipient_item(recipients.find_recipient(session, recipient_id), settings.zone)


@router.post("/recipients", status_code=201, responses=problem_responses(422))
def add_recipient(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, new: NewRecipient
) -> RecipientItem:
    """Another recipient, who is told of alerts from now on."""
    wish = recipients.checked(
        Wish(
            new.name,
            new.channel,
            new.language,
            new.min_severity,
            new.enabled,
            new.topics,
            new.address.get_secret_value(),
        )
    )
    with database.write() as session:
        added = recipients.add_recipient(session, settings, wish, caller.actor, int(time.time()))
    return recipient_item(added, settings.zone)


@router.patch("/recipients/{recipient_id}", responses=problem_responses(404, 409, 422))
def change_recipient(
    database: DatabaseDep,
    settings: SettingsDep,
    caller: Manager,
    recipient_id: RowId,
    change: RecipientChange,
) -> RecipientItem:
    """Change what is given. What waits for a recipient that is disabled is given up."""
    given = {name: value for name, value in change if value is not None}
    with database.read() as session:
        present = recipients.find_recipient(session, recipient_id)
    wish = recipients.checked(_wish(present, given))
    with database.write() as session:
        changed = recipients.change_recipient(
            session, settings, recipient_id, wish, caller.actor, int(time.time())
        )
    return recipient_item(changed, settings.zone)


@router.delete(
    "/recipients/{recipient_id}", status_code=204, responses=problem_responses(404, 409, 422)
)
def delete_recipient(database: DatabaseDep, caller: Manager, recipient_id: RowId) -> None:
    """Tell them no more; their messages stay in the outbox."""
    with database.write() as session:
        recipients.delete_recipient(session, recipient_id, caller.actor, int(time.time()))


@router.post("/recipients/{recipient_id}/test", responses=problem_responses(404, 409, 422, 429))
def test_recipient(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, recipient_id: RowId
) -> Tested:
    """Send a test message now, once in ten seconds; the answer says what came of it."""
    error = recipients.send_test(database, settings, recipient_id, caller.actor, int(time.time()))
    return Tested(delivered=error is None, error=error)


@router.get("/deliveries", dependencies=[Reader], responses=problem_responses(422))
def list_deliveries(
    database: DatabaseDep,
    settings: SettingsDep,
    state: DeliveryState | None = None,
    recipient_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    page: PageNumber = 1,
    page_size: PageSize = 100,
) -> DeliveryPage:
    """Messages about alerts, newest first, with what became of each."""
    wanted = Wanted(state, recipient_id)
    return delivery_page(database, settings, wanted, page, page_size)


@router.post("/deliveries/{delivery_id}/resend", responses=problem_responses(404, 409, 422))
def resend_delivery(
    database: DatabaseDep, settings: SettingsDep, caller: Manager, delivery_id: RowId
) -> DeliveryItem:
    """Try again for a day to deliver a message that was given up."""
    with database.write() as session:
        send_again(session, delivery_id, caller.actor, int(time.time()))
    with database.read() as session:
        found = queries.find_delivery(session, delivery_id)
    if found is None:
        raise NotFound("message", str(delivery_id))
    return delivery_item(*found, settings.zone)


def delivery_page(
    database: Database, settings: Settings, wanted: Wanted, page: int, page_size: int
) -> DeliveryPage:
    """One page of the selected messages."""
    with database.read() as session:
        total = queries.count_deliveries(session, wanted)
        found = queries.read_deliveries(session, wanted, (page - 1) * page_size, page_size)
    items = [delivery_item(sent, name, settings.zone) for sent, name in found]
    return DeliveryPage(total=total, page=page, page_size=page_size, items=items)


def _wish(present: Recipient, given: dict[str, Any]) -> Wish:
    if present.from_settings:
        raise Refused("This recipient comes from INTACT_WEBHOOK_URL; change the setting.")
    address = given.get("address")
    return Wish(
        name=given.get("name", present.name),
        channel=given.get("channel", Channel(present.channel)),
        language=given.get("language", Language(present.language)),
        min_severity=given.get("min_severity", Severity(present.min_severity)),
        enabled=given.get("enabled", present.enabled),
        topics=given.get("topics", Topics(present.topics)),
        address=None if address is None else address.get_secret_value(),
    )


def recipient_item(recipient: Recipient, zone: ZoneInfo) -> RecipientItem:
    return RecipientItem(
        id=recipient.id,
        name=recipient.name,
        channel=Channel(recipient.channel),
        language=Language(recipient.language),
        min_severity=Severity(recipient.min_severity),
        topics=Topics(recipient.topics),
        enabled=recipient.enabled,
        from_settings=recipient.from_settings,
        changed_at=datetime.fromtimestamp(recipient.changed_at, zone),
        tested_at=_local(recipient.tested_at, zone),
    )


def delivery_item(sent: Notification, recipient: str | None, zone: ZoneInfo) -> DeliveryItem:
    waiting = sent.state is DeliveryState.WAITING
    return DeliveryItem(
        id=sent.id,
        alert_id=sent.alert_id,
        recipient=recipient,
        event=sent.event,
        severity=Severity(sent.severity),
        state=sent.state,
        summary=sent.body.get("summary", {}),
        attempts=sent.attempts,
        created_at=datetime.fromtimestamp(sent.created_at, zone),
        next_attempt_at=_local(sent.next_attempt_at, zone) if waiting else None,
        delivered_at=_local(sent.delivered_at, zone),
        given_up_at=_local(sent.given_up_at, zone),
        last_error=sent.last_error,
    )


def _local(instant: int | None, zone: ZoneInfo) -> datetime | None:
    return None if instant is None else datetime.fromtimestamp(instant, zone)
