"""A message as Prometheus' Alertmanager sends it to a webhook, so that its receivers understand it.

Version 4 of the payload; one alert in each. Source: "webhook_config" in the documentation of
Alertmanager's configuration. An alert keeps its fingerprint from its beginning to its end. Times
are RFC 3339; the end of one that goes on is in the year 1, as Go writes it.
"""

import hashlib
import json
from typing import Any

from app.operations.delivery.wording import RESOLVED, Message, text_of, title_of
from app.web.language import Language

NO_TIME = "0001-01-01T00:00:00Z"
LABELLED = ("kind", "scope", "rule", "target")
"""What of a body becomes a label, where it is a text and stays the same until the end."""


def alertmanager_body(receiver: str, language: Language, told: Message) -> dict[str, Any]:
    """The payload of one message to one receiver."""
    labels = labels_of(told)
    group = {"alertname": labels["alertname"]}
    status = "resolved" if told.event == RESOLVED else "firing"
    annotations = {
        "title": title_of(told, language),
        "summary": text_of(told, language),
        "event": told.event,
    }
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": told.body.get("since") or told.body.get("opened_at") or NO_TIME,
        "endsAt": (told.body.get("resolved_at") if status == "resolved" else None) or NO_TIME,
        "generatorURL": told.link or "",
        "fingerprint": fingerprint(labels),
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{group["alertname"]}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": told.base_url or "",
        "alerts": [alert],
    }


def labels_of(told: Message) -> dict[str, str]:
    """What the alert is known by."""
    kept = {name: value for name in LABELLED if isinstance(value := told.body.get(name), str)}
    name = kept.get("kind", told.event)
    number = {} if told.alert_id is None else {"alert_id": str(told.alert_id)}
    return {"alertname": name, "severity": told.severity, "job": "intact"} | kept | number


def fingerprint(labels: dict[str, str]) -> str:
    """Sixteen hexadecimal digits that stand for the labels; the severity may change meanwhile."""
    lasting = {name: value for name, value in labels.items() if name != "severity"}
    canonical = json.dumps(lasting, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
