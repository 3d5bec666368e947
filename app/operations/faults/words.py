"""What the pages of faults and incidents call things."""

from collections.abc import Mapping

from app.web.language import message
from kpi.faults import EndReason
from kpi.incidents import Scope

STATE_WORDS: Mapping[str, str] = {
    "open": message("lasting"),
    "closed": message("finished"),
    "all": message("all"),
}
SCOPE_WORDS: Mapping[Scope, str] = {
    Scope.ROOM: message("Room"),
    Scope.POWER_DISTRICT: message("Power district"),
    Scope.CONTRACTOR: message("Contractor"),
}
REASON_WORDS: Mapping[EndReason, str] = {
    EndReason.RECOVERED: message("recovered"),
    EndReason.SUSPENDED: message("suspended"),
    EndReason.EXEMPTED: message("exempted"),
    EndReason.OUT_OF_SERVICE: message("out of service"),
}
