"""The files of `deploy/` are right in the eyes of the programs that read them."""

import re
from pathlib import Path

from tests.deploy.programs import checked_by
from tests.deploy.proxy import Ports, write_configuration

DEPLOY = Path(__file__).parents[2] / "deploy"


def test_nginx_takes_the_proxy(tmp_path: Path) -> None:
    ports = Ports(http=8080, https=8443, intact=8000)
    said = checked_by("nginx", "-t", "-c", str(write_configuration(tmp_path, ports)))
    assert "test is successful" in said
    assert "warn" not in said + (tmp_path / "error.log").read_text()


def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "intact.service").read_text()
    unit = tmp_path / "intact.service"
    unit.write_text(text.replace("/opt/intact/current/bin/intact", "/bin/true"))
    assert checked_by("systemd-analyze", "verify", str(unit)) == ""
    said = checked_by("systemd-analyze", "security", "--offline=true", str(unit))
    level = re.search(r"exposure level for intact\.service: ([0-9.]+)", said)
    assert level is not None
    assert float(level[1]) < 2.5
    assert re.findall(r"^(?:Ambient|CapabilityB).*=(.*)$", text, re.M) == ["CAP_NET_RAW"] * 2


def test_systemd_takes_the_nightly_backup(tmp_path: Path) -> None:
    for name in ("intact-backup.service", "intact-backup.timer"):
        (tmp_path / name).write_text((DEPLOY / "systemd" / name).read_text())
    assert checked_by("systemd-analyze", "verify", str(tmp_path / "intact-backup.service")) == ""
    assert checked_by("systemd-analyze", "verify", str(tmp_path / "intact-backup.timer")) == ""
    moment = re.search(r"^OnCalendar=(.+)$", (tmp_path / name).read_text(), re.M)
    assert moment is not None
    checked_by("systemd-analyze", "calendar", moment[1])


def test_prometheus_takes_its_file() -> None:
    said = checked_by("promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert "4 rules found" in said
