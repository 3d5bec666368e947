"""Each way to a recipient, to real receivers: what arrives, and what is told of a failure."""

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from app.operations.delivery import apprising, posting
from app.operations.delivery.channels import Way, problem_of, send
from app.operations.delivery.tables import Channel
from app.operations.delivery.wording import Message, trial_message
from app.web.language import Language
from tests.app.operations.delivery.receivers import (
    Mailbox,
    Receiver,
    dripping,
    speaking,
    without_end,
)

ALERT = Message(
    7,
    "opened",
    "critical",
    {
        "kind": "fleet_intact_rate",
        "summary": {"zh": "全网完好率 96.90%", "en": "Fleet intact rate 96.90 %"},
        "since": "2026-03-01T12:00:00+08:00",
        "resolved_at": None,
        "path": "/alerts/7",
    },
    "https://intact.example.cn",
)
OVER = replace(
    ALERT, event="resolved", body=ALERT.body | {"resolved_at": "2026-03-01T12:20:00+08:00"}
)


def way(channel: Channel, address: str, language: Language = Language.CHINESE) -> Way:
    return Way("值班室", channel, language, address)


def by_apprise(address: str, told: Message = ALERT, language: Language = Language.CHINESE) -> Any:
    return send(way(Channel.APPRISE, address, language), told)


# Mail and chat


def test_mail_in_the_language_of_its_reader(mailbox: Mailbox) -> None:
    assert problem_of(Channel.APPRISE, mailbox.address) is None
    assert by_apprise(mailbox.address) is None
    assert by_apprise(mailbox.address, OVER, Language.ENGLISH) is None
    assert by_apprise(mailbox.address, trial_message(None)) is None
    link = "https://intact.example.cn/alerts/7"
    assert mailbox.texts() == [
        ("完好率监测：告警（严重）", f"全网完好率 96.90%\n{link}"),
        ("Intact: over", f"Fleet intact rate 96.90 %\n{link}"),
        ("完好率监测：测试消息", "完好率监测的测试消息：告警将以此方式送达。"),
    ]
    assert {str(mail["to"]) for mail in mailbox.mails} == {"duty@example.cn"}


def test_a_mail_that_is_refused(mailbox: Mailbox) -> None:
    mailbox.refuses = "554 no"
    error = by_apprise(mailbox.address)
    assert error is not None
    assert "mail" in error.lower()
    assert "duty@example.cn" not in error
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("address", "path", "text"),
    [
        ("dingtalk://abc123/", "/robot/send?access_token=abc123", ("text", "content")),
        ("wecombot://key-abc/", "/cgi-bin/webhook/send?key=key-abc", ("text", "content")),
        ("feishu://tok-en1/", "/open-apis/bot/v2/hook/tok-en1/", ("content", "text")),
    ],
)
def test_chat_by_way_of_the_gateway(
    receiver: Receiver, address: str, path: str, text: tuple[str, str]
) -> None:
    receiver.says = b'{"errcode": 0, "code": 0, "errmsg": "ok"}'
    assert by_apprise(f"{address}?gateway={receiver.base}/passed-on") is None
    assert receiver.asked == [f"/passed-on{path}"]
    (body,) = receiver.received
    assert "全网完好率 96.90%" in body[text[0]][text[1]]
    assert "完好率监测：告警（严重）" in body[text[0]][text[1]]


@pytest.mark.parametrize(
    ("address", "says", "error"),
    [
        ("dingtalk://abc123/", {"errcode": 310000, "errmsg": "no keyword"}, "310000: no keyword"),
        ("wecombot://key-abc/", {"errcode": 93000, "errmsg": "bad key-abc"}, "93000: bad …"),
        ("feishu://tok-en1/", {"code": 19001, "msg": "invalid"}, "code=19001 msg=invalid"),
        ("dingtalk://abc123/", "<html>sign in</html>", "is it a sign-in page"),
    ],
)
def test_chat_that_refuses_with_status_200(
    receiver: Receiver, address: str, says: Any, error: str
) -> None:
    receiver.says = says.encode() if isinstance(says, str) else json.dumps(says).encode()
    assert error in by_apprise(f"{address}?gateway={receiver.base}")
    assert len(receiver.asked) == 1


def test_generic_webhook_of_apprise(receiver: Receiver) -> None:
    assert by_apprise(receiver.url.replace("http://", "json://")) is None
    (body,) = receiver.received
    assert (body["title"], body["type"]) == ("完好率监测：告警（严重）", "failure")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [302]
    assert "302" in by_apprise(receiver.url.replace("http://", "json://"))
    assert receiver.asked == ["/hook"]


def test_no_proxy_of_the_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert by_apprise(receiver.url.replace("http://", "json://")) is None
    assert send(way(Channel.WEBHOOK, receiver.url), ALERT) is None
    assert len(receiver.received) == 2


def test_the_process_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTACT_SECRET_KEY", "hush")
    assert "hush" not in apprising.environment().values()
    assert apprising.environment()["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("nonsense-with-secret", "Unsupported URL"),
        ("nothing://secret-secret", "Unparseable URL"),
        ("dingtalk://sec.ret.token!/", "An invalid DingTalk API Token (…)"),
        ("mailto://u:secret@h.cn/?to=a@b.cn,c@d.cn", "several receivers"),
        ("wecombot://secret/?gateway=elsewhere", "gateway must be"),
        ("json://127.0.0.1:1/secret?-secret=secret", "refused"),
        ("mailto://u:secret@127.0.0.1:1/?from=a@b.cn&to=c@d.cn&mode=insecure", "refused"),
        ("dingtalk://secret/?gateway=http://127.0.0.1:1", "refused"),
    ],
)
def test_an_error_tells_no_secret(address: str, error: str) -> None:
    told = by_apprise(address)
    assert error in told
    assert "secret" not in told


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking(without_end) as url:
        assert by_apprise(url.replace("http://", "json://")) is None, "it was accepted"
        assert send(way(Channel.WEBHOOK, url), ALERT) is None
    monkeypatch.setattr(apprising, "TIMEOUT_S", 2.0)
    monkeypatch.setattr(posting, "TIMEOUT_S", 1.0)
    with speaking(dripping) as url:
        assert by_apprise(url.replace("http://", "json://")) == "no answer within 2 s"
        assert send(way(Channel.WEBHOOK, url), ALERT) == "no answer within 1 s"


# Webhooks


def test_our_own_webhook_gets_the_body_as_it_is(receiver: Receiver) -> None:
    assert send(way(Channel.WEBHOOK, receiver.url), ALERT) is None
    assert receiver.received == [ALERT.body]


DOCUMENTED = {
    "version": str,
    "groupKey": str,
    "truncatedAlerts": int,
    "status": str,
    "receiver": str,
    "groupLabels": dict,
    "commonLabels": dict,
    "commonAnnotations": dict,
    "externalURL": str,
    "alerts": list,
}
"""Source: "webhook_config" in the documentation of Alertmanager's configuration."""
DOCUMENTED_OF_ALERT = {
    "status": str,
    "labels": dict,
    "annotations": dict,
    "startsAt": str,
    "endsAt": str,
    "generatorURL": str,
    "fingerprint": str,
}


def test_alertmanagers_payload(receiver: Receiver) -> None:
    for told in (ALERT, replace(OVER, severity="warning")):
        assert send(way(Channel.ALERTMANAGER, receiver.url, Language.ENGLISH), told) is None
    firing, resolved = receiver.received
    for body in (firing, resolved):
        assert {name: type(value) for name, value in body.items()} == DOCUMENTED
        (alert,) = body["alerts"]
        assert {name: type(value) for name, value in alert.items()} == DOCUMENTED_OF_ALERT
        assert body["version"] == "4"
        assert body["groupLabels"].items() <= body["commonLabels"].items()
        assert all(isinstance(value, str) for value in alert["labels"].values())
        assert alert["startsAt"] == "2026-03-01T12:00:00+08:00"
        assert alert["generatorURL"] == "https://intact.example.cn/alerts/7"
        assert alert["labels"]["alertname"] == "fleet_intact_rate"
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert resolved["alerts"][0]["endsAt"] == "2026-03-01T12:20:00+08:00"
    assert firing["groupKey"] == resolved["groupKey"]
    assert firing["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
    assert len(firing["alerts"][0]["fingerprint"]) == 16
    another = replace(ALERT, alert_id=8)
    send(way(Channel.ALERTMANAGER, receiver.url), another)
    assert receiver.received[2]["alerts"][0]["fingerprint"] != firing["alerts"][0]["fingerprint"]


@pytest.mark.parametrize(
    ("address", "is_right"),
    [
        ("https://10.0.0.8/hook", True),
        ("http://[::1]:8080/", True),
        ("ftp://10.0.0.8/", False),
        ("10.0.0.8/hook", False),
        ("https:///hook", False),
        ("http://[broken/", False),
    ],
)
def test_address_of_a_webhook(address: str, is_right: bool) -> None:
    assert (problem_of(Channel.WEBHOOK, address) is None) is is_right
