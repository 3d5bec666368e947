"""What the alert rules cost a slot: 200 of them against the bare SQL that reads the sweep's counts.

Each time a sweep more is there. Ours reads it, adds it up for every place and decides all rules,
the shipped ones with their rooms, incidents and disk among them; nothing is opened. The peer reads
the newest sweep's counts once for each rule, summed up for what the rule is about, with SQL through
`sqlite3`, and decides nothing.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

from app.evidence.recording import Recorder
from app.fleet.roster import Grouping, group_names, roster
from app.operations.alerts.rule_queries import read_rules
from app.operations.alerts.tables import AlertRule
from app.operations.alerts.watching import Watcher
from bench.figures import Figure, Options, Section, median
from bench.installation import Installation, installed, register_of, scratch_folder, today
from bench.invented import fill_present, successive_sweeps
from collectors.simulator.fleet import build_fleet
from kpi.calendar import floor_to_slot, local_day

NAME = "deciding"
HOW = (
    "Deciding {rules} alert rules after a sweep of {cameras:,} cameras ({cohorts} cohorts), "
    "against the bare SQL that reads the sweep's counts for each rule, in the same SQLite file."
)
RULES = 200
SLOTS = 31
BAR = 3.0
SUMS = "sum(c.intact), sum(c.impaired), sum(c.offline), sum(c.unknown), sum(c.suspended)"
BARE = (
    "SELECT {group}, {sums} FROM sweep_count c JOIN cohort ON cohort.id = c.cohort_id "
    "LEFT JOIN {table} AS g ON g.id = cohort.{table}_id "
    "WHERE c.tick = (SELECT max(tick) FROM sweep) AND cohort.kind = 'camera' {only} GROUP BY 1"
)


def measure(options: Options) -> Section:
    """Milliseconds a slot of both, in turn."""
    cameras = max(options.scales)
    with scratch_folder() as folder, installed(folder) as installation:
        register = register_of(build_fleet(cameras), folder, today())
        installation.take_over([register], today())
        now = int(time.time())
        fill_present(installation.database, installation.settings, 2, now)
        cohorts = _add_rules(installation)
        ours, peer = _compare(installation, now)
    how = HOW.format(rules=RULES, cameras=cameras, cohorts=cohorts)
    return Section(
        NAME,
        how,
        (Figure("200 rules a slot, median", median(ours), "ms", median(peer), BAR),),
        notes=(
            f"{len(ours)} slots; the slowest {max(ours):.1f} ms. The rules look at the fleet, at "
            "each station, room, project and contractor, and at single stations and rooms.",
        ),
    )


def _add_rules(installation: Installation) -> int:
    """So many rules with the shipped ones, at places of every kind; the number of cohorts."""
    with installation.database.read() as session:
        names = {
            by: [name.code for name in group_names(session, by).values()]
            for by in (Grouping.STATION, Grouping.ROOM)
        }
        members = roster(session, today())
    places: list[tuple[str, str | None]] = [
        (scope, None) for scope in ("fleet", "station", "room", "project", "contractor")
    ]
    places += [("station", code) for code in names[Grouping.STATION]]
    places += [("room", code) for code in names[Grouping.ROOM]]
    metrics = ("intact_rate", "online_rate", "coverage")
    wanted = [(metric, *place) for metric in metrics for place in places][: RULES - 9]
    wanted += [("suspended_rate", "station", code) for code in names[Grouping.STATION]]
    with installation.database.write() as session:
        for number, (metric, scope, code) in enumerate(wanted[: RULES - 9]):
            session.add(
                AlertRule(
                    key=f"bench_{number}",
                    metric=metric,
                    period="now",
                    scope=scope,
                    scope_code=code,
                    threshold="0.99" if metric == "suspended_rate" else "0.5",
                    recovery=None,
                    for_slots=5,
                    severity="warning",
                    enabled=True,
                    shipped=False,
                    version=1,
                )
            )
    return len(set(members.values()))


def _statements(installation: Installation) -> list[tuple[str, tuple[str, ...]]]:
    """The bare SQL of each rule and its parameters."""
    with installation.database.read() as session:
        rules = read_rules(session)
    found: list[tuple[str, tuple[str, ...]]] = []
    for rule in rules:
        table = "station" if rule.scope == "fleet" else rule.scope
        group = "1" if rule.scope == "fleet" else "g.code"
        only, told = ("AND g.code = ?", (rule.scope_code,)) if rule.scope_code else ("", ())
        found.append((BARE.format(sums=SUMS, group=group, table=table, only=only), told))
    return found


def _compare(installation: Installation, now: int) -> tuple[list[float], list[float]]:
    database, settings = installation.database, installation.settings
    with database.read() as session:
        members = roster(session, local_day(now, settings.zone))
    watcher = Watcher(database, settings, now - 3600)
    recorder = Recorder(database, settings)
    statements = _statements(installation)
    first = floor_to_slot(now, settings.poll_interval) + settings.poll_interval
    path = Path(str(database.engine.url.database))
    ours, peer = [], []
    with closing(sqlite3.connect(path)) as bare:
        for sweep in islice(successive_sweeps(members, first, settings.poll_interval), SLOTS):
            recorder.record(replace(sweep, finished_at=sweep.tick + 40))
            started = time.perf_counter()
            watcher.look(sweep.tick + 41)
            between = time.perf_counter()
            for statement, told in statements:
                bare.execute(statement, told).fetchall()
            ours.append((between - started) * 1000)
            peer.append((time.perf_counter() - between) * 1000)
    return ours[1:], peer[1:]
