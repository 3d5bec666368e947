"""Settings: one bad example for every rule, and every problem named at once."""

import re
from pathlib import Path

import pytest

from app.config import Settings, load_settings
from app.errors import ConfigurationError

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


BAD = [
    ("TIMEZONE", "Asia/Peking", "no time zone"),
    ("POLL_INTERVAL", "7", "does not divide 900"),
    ("POLL_INTERVAL", "0", "greater than or equal to 1"),
    ("POLL_INTERVAL", "soon", "valid integer"),
    ("PROBE_TIMEOUT", "16", "at most 15 s"),
    ("PROBE_TIMEOUT", "-1", "greater than 0"),
    ("PROBE_CONCURRENCY", "0", "greater than or equal to 1"),
    ("CLOCK_TOLERANCE", "0", "greater than 0"),
    ("CLOCK_TOLERANCE", "inf", "finite number"),
    ("CANARIES", "gateway", "no IP address"),
    ("CANARIES", "10.1.0.1,10.1.0.256", "no IP address"),
    ("CANARIES", "0.0.0.0:80", "no address of a single device"),
    ("CANARIES", "10.1.0.1:0", "no port from 1 to 65535"),
    ("CANARIES", "10.1.0.1:ssh", "no port from 1 to 65535"),
    ("CANARIES", "fd00::1", "name a TCP port"),
    ("CANARIES", '["10.1.0.1",]', "cannot be read as a list"),
    ("CANARIES", "[10]", "valid string"),
    ("DISCOVERY_NETWORKS", "10.1.0.1/16", "valid IPv4 or IPv6 network"),
    ("DISCOVERY_RATE", "0", "greater than or equal to 1"),
    ("HOST", "", "at least 1 character"),
    ("TIMEZONE", "localtime", "no time zone"),
    ("DATABASE_URL", "sqlite://", "names no file"),
    ("PORT", "70000", "less than or equal to 65535"),
    ("DATABASE_URL", "mysql://x/y", "use sqlite or postgresql"),
    ("DATABASE_URL", "intact.db", "cannot be read"),
    ("SECRET_KEY", "short", "32 bytes"),
    ("WEBHOOK_URL", "ftp://x", "http:// or https://"),
    ("POL_INTERVAL", "60", "no such setting"),
    ("SECRET_KEY_FILE", "/nowhere/key", "cannot be read"),
    ("CONFIG", "/nowhere/intact.toml", "cannot be read"),
]


@pytest.mark.parametrize(("name", "value", "said"), BAD)
def test_what_is_refused(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"INTACT_{name}", value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    (problem,) = refused.value.problems
    assert said in problem
    assert name.lower() in problem.lower() or value in problem


def test_every_problem_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intact.toml").write_text("this is no TOML")
    bad = {"TIMEZONE": "x", "PORT": "0", "PORTS": "1", "PROBE_TIMEOUT": "500"}
    for name, value in bad.items():
        monkeypatch.setenv(f"INTACT_{name}", value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "INTACT_PORTS",
        "intact.toml",
        "timezone",
        "probe_timeout",
        "port",
    ]
    assert "did you mean INTACT_PORT?" in refused.value.problems[0]


def test_a_secret_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTACT_SECRET_KEY", "hush-hush")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "hush" not in str(refused.value)
    monkeypatch.setenv("INTACT_SECRET_KEY", KEY)
    assert KEY not in repr(load_settings())


def test_environment_over_file_over_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "intact.toml").write_text('port = 9000\ntimezone = "Europe/Berlin"\n')
    monkeypatch.setenv("INTACT_PORT", "9001")
    settings = load_settings()
    assert (settings.port, settings.timezone, settings.poll_interval) == (9001, "Europe/Berlin", 60)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ()),
        ("10.1.0.1", ("10.1.0.1",)),
        ("10.1.0.1, 10.1.0.1:80", ("10.1.0.1", "10.1.0.1:80")),
        ('["10.1.0.1", "[fd00::1]:80"]', ("10.1.0.1", "[fd00::1]:80")),
        ("[fd00::1]:80", ("[fd00::1]:80",)),
    ],
)
def test_canaries_of_the_environment(
    text: str, read: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTACT_CANARIES", text)
    assert load_settings().canaries == read


def test_canaries_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "intact.toml").write_text('canaries = ["10.1.0.1", "10.1.0.1:80"]\n')
    assert load_settings().canaries == ("10.1.0.1", "10.1.0.1:80")
    (tmp_path / "intact.toml").write_text('canaries = ["10.1.0.1", "gateway"]\n')
    with pytest.raises(ConfigurationError, match=r"canaries\.1: is no IP address"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "said"), [("prot = 1\n", "no such setting"), ("port = \n", "TOML")]
)
def test_a_file_with_mistakes(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "intact.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load_settings()


def test_a_secret_in_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    monkeypatch.setenv("INTACT_SECRET_KEY_FILE", str(tmp_path / "key"))
    settings = load_settings()
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == KEY
    monkeypatch.setenv("INTACT_SECRET_KEY", KEY)
    with pytest.raises(ConfigurationError, match="keep one of them"):
        load_settings()


def test_an_attempt_is_short_where_the_slot_is_short() -> None:
    assert Settings().attempt_timeout == 3
    assert Settings(poll_interval=5).attempt_timeout == 1
    assert Settings(probe_timeout=2).attempt_timeout == 2


def test_the_example_is_right(tmp_path: Path) -> None:
    """As it stands, and with every setting that it only mentions."""
    example = Path(__file__).parents[2] / "deploy" / "intact.example.toml"
    text = example.read_text(encoding="utf-8")
    mentioned = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE).replace("…", KEY)
    for content in (text, mentioned):
        (tmp_path / "intact.toml").write_text(content, encoding="utf-8")
        load_settings()
    assert all(f"{name} = " in mentioned for name in Settings.model_fields)
