"""The files of `deploy/` are right in the eyes of the programs that read them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collectors.simulator.bad_certificate import bad_certificate

DEPLOY = Path(__file__).parents[2] / "deploy"


def checked_by(*command: str) -> str:
    """What a checker says; a missing one is a reason to skip, but not in CI."""
    program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None and not os.environ.get("CI"):
        pytest.skip(f"{command[0]} is not installed here")
    assert program is not None, f"{command[0]} is not installed"
    done = subprocess.run(
        [program, *command[1:]], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nginx_takes_the_proxy(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_bytes(bad_certificate())  # key and certificate in one
    site = (DEPLOY / "nginx" / "intact.conf").read_text()
    site = re.sub(r"/etc/intact/tls/intact\.(crt|key)", str(tmp_path / "both.pem"), site)
    site = site.replace("/var/log/nginx/", f"{tmp_path}/")
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\n"
        + "".join(
            f"{part}_temp_path {tmp_path}/{part};\n"
            for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"{site}}}\n"
    )
    said = checked_by("nginx", "-t", "-c", str(whole))
    assert "test is successful" in said
    assert "warn" not in said


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


def test_prometheus_takes_its_file() -> None:
    said = checked_by("promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))
    assert "4 rules found" in said
