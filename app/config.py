"""Settings: environment (prefix `INTACT_`) over one TOML file over defaults.

The file is `INTACT_CONFIG`, or `intact.toml` in the working directory where there is one; its keys
are the field names below. A secret may stand in a file of its own: `INTACT_SECRET_KEY_FILE` holds
what `INTACT_SECRET_KEY` would. The environment wins over the file.
"""

import difflib
import json
import os
import tomllib
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from cryptography.fernet import Fernet
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.errors import ConfigurationError
from collectors.canary import canary
from kpi.calendar import QUARTER_S

PREFIX = "INTACT_"
SECRETS = ("database_url", "secret_key", "webhook_url", "heartbeat_url", "oidc_client_secret")
FILE_VARIABLE = f"{PREFIX}CONFIG"
DEFAULT_FILE = Path("intact.toml")


NO_PLACES = {"localtime", "posixrules", "Factory"}
"""Names that a system may have beside those of places."""


def _known_zone(name: str) -> str:
    if name not in available_timezones() - NO_PLACES:
        raise ValueError(f"{name!r} is no time zone; use a name such as Asia/Shanghai")
    return name


def _divides_quarter(seconds: int) -> int:
    if QUARTER_S % seconds:
        raise ValueError(f"{seconds} does not divide 900; use 10, 15, 30, 60, 90 or 300")
    return seconds


def _database(url: SecretStr | None) -> SecretStr | None:
    if url is None:
        return None
    try:
        backend = make_url(url.get_secret_value()).get_backend_name()
    except ArgumentError:
        raise ValueError(
            "cannot be read; use sqlite:////folder/intact.db or postgresql://user@host/name"
        ) from None
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"{backend!r} is not supported; use sqlite or postgresql")
    if backend == "sqlite" and make_url(url.get_secret_value()).database in (None, "", ":memory:"):
        raise ValueError("names no file; use sqlite:////folder/intact.db")
    return url


def _web_address(url: SecretStr | None) -> SecretStr | None:
    if url and not url.get_secret_value().startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url


def _page_address(url: str | None) -> str | None:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, as a browser opens the pages")
    return url.rstrip("/") if url else None


def split_keys(text: str) -> list[str]:
    """The keys of a text, the newest first; commas or white space between them.

    Raises `ValueError` where there is none, or one that is no Fernet key.
    """
    keys = text.replace(",", " ").split()
    if not keys:
        raise ValueError("no key")
    for key in keys:
        Fernet(key)
    return keys


def _issuer(url: str | None) -> str | None:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, as the provider writes itself")
    return url


def _fernet_key(key: SecretStr | None) -> SecretStr | None:
    if key is not None:
        try:
            split_keys(key.get_secret_value())
        except ValueError:
            raise ValueError(
                "must be 32 bytes in URL-safe base64; leave it out and a key file is made"
            ) from None
    return key


def _listed(given: object) -> object:
    """A list in the environment: as JSON, or with commas between."""
    if not isinstance(given, str):
        return given
    if not (given.strip().startswith("[") and given.strip().endswith("]")):
        return [part.strip() for part in given.split(",") if part.strip()]
    try:
        return json.loads(given)
    except ValueError as error:
        raise ValueError(f'cannot be read as a list ({error}); write A,B or ["A", "B"]') from None


def _canary(text: str) -> str:
    canary(text)
    return text


Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_listed)]
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1"))


class Settings(BaseSettings):
    """All settings. Seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Path("intact-data")
    database_url: Annotated[SecretStr | None, AfterValidator(_database)] = None
    archive_dir: Path | None = None
    hot_days: Annotated[int, Field(ge=2, le=400)] = 7
    secret_key: Annotated[SecretStr | None, AfterValidator(_fernet_key)] = None
    timezone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    poll_interval: Annotated[int, Field(ge=1, le=QUARTER_S), AfterValidator(_divides_quarter)] = 60
    probe_timeout: Annotated[float | None, Field(gt=0)] = None
    probe_concurrency: Annotated[int, Field(ge=1, le=20_000)] = 1_500
    clock_tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10
    canaries: Annotated[
        tuple[Annotated[str, AfterValidator(_canary)], ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    discovery_networks: Networks = ()
    discovery_rate: Annotated[int, Field(ge=1, le=1_000)] = 20
    video_check_interval: Annotated[int, Field(ge=0)] = 3_600
    video_check_ttl: Annotated[int | None, Field(gt=0)] = None
    fault_opens_after: Annotated[int, Field(ge=1, le=60)] = 3
    fault_closes_after: Annotated[int, Field(ge=1, le=60)] = 2
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    trusted_proxies: Networks = LOOPBACK
    metrics_allowed: Networks = LOOPBACK
    session_idle: Annotated[int, Field(ge=60, le=86_400)] = 1_800
    session_lifetime: Annotated[int, Field(ge=60, le=7 * 86_400)] = 43_200
    oidc_issuer: Annotated[str | None, AfterValidator(_issuer)] = None
    oidc_client_id: str | None = None
    oidc_client_secret: Annotated[SecretStr | None, Field(validate_default=True)] = None
    oidc_ca_file: Path | None = None
    oidc_role_claim: str = "roles"
    oidc_roles: dict[str, str] = {}
    oidc_station_claim: str = "station"
    oidc_contractor_claim: str = "contractor"
    audit_days: Annotated[int, Field(ge=180, le=36_500)] = 365
    public_url: Annotated[str | None, AfterValidator(_page_address)] = None
    map_outline: Path | None = None
    webhook_url: Annotated[SecretStr | None, AfterValidator(_web_address)] = None
    heartbeat_url: Annotated[SecretStr | None, AfterValidator(_web_address)] = None
    heartbeat_interval: Annotated[int, Field(ge=10, le=3_600)] = 60

    @field_validator("probe_timeout")
    @classmethod
    def _attempts_fit_into_the_slot(
        cls, timeout_s: float | None, known: ValidationInfo
    ) -> float | None:
        """Rooms begin in the first half of a slot; two attempts must fit into the other half."""
        interval_s = known.data.get("poll_interval", QUARTER_S)
        if timeout_s is not None and timeout_s > interval_s / 4:
            raise ValueError(
                f"too long for a poll interval of {interval_s} s; use at most {interval_s / 4:g} s "
                "(a quarter of the interval)"
            )
        return timeout_s

    @field_validator("video_check_ttl")
    @classmethod
    def _results_outlast_the_interval(cls, ttl_s: int | None, known: ValidationInfo) -> int | None:
        """Else a camera would have no video result between two checks."""
        interval_s = known.data.get("video_check_interval", 0)
        if ttl_s is not None and ttl_s <= interval_s:
            raise ValueError(
                f"must be more than the {interval_s} s of video_check_interval; leave it out for "
                "two intervals"
            )
        return ttl_s

    @field_validator("oidc_client_secret")
    @classmethod
    def _an_issuer_knows_us(
        cls, secret: SecretStr | None, known: ValidationInfo
    ) -> SecretStr | None:
        if known.data.get("oidc_issuer") and not (secret and known.data.get("oidc_client_id")):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_client_secret; set both")
        return secret

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = config_file()
        if file is None or _file_problems(file):
            return init_settings, env_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def video_ttl(self) -> int:
        """How long a video check holds: as set, or two intervals."""
        return self.video_check_ttl or 2 * self.video_check_interval

    @property
    def attempt_timeout(self) -> float:
        """Deadline of one attempt: as set, or 3 s, less where the poll interval is short."""
        return self.probe_timeout or min(3.0, self.poll_interval / 5)

    @property
    def archive_folder(self) -> Path:
        """Where archived days lie: as set, or beside the database."""
        return (self.archive_dir or self.data_dir / "archive").absolute()

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address with the driver we use."""
        if self.database_url is None:
            return f"sqlite:///{self.data_dir.absolute() / 'intact.db'}"
        url = make_url(self.database_url.get_secret_value())
        driver = "postgresql+psycopg" if url.get_backend_name() == "postgresql" else "sqlite"
        return url.set(drivername=driver).render_as_string(hide_password=False)


def config_file() -> Path | None:
    """The TOML file in use: `INTACT_CONFIG`, else `intact.toml` here where it exists."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (a command's options) win where they are not None.

    Raises `ConfigurationError` with every problem found.
    """
    chosen = {name: value for name, value in overrides.items() if value is not None}
    file = config_file()
    problems = _unknown_variables() + (_file_problems(file) if file else [])
    secrets, unreadable = _secrets_from_files()
    problems += unreadable
    try:
        settings = Settings(**{**secrets, **chosen})
    except ValidationError as error:
        problems += [_describe(entry) for entry in error.errors(include_url=False)]
    if problems:
        raise ConfigurationError(problems)
    return settings


def _file_problems(file: Path) -> list[str]:
    """Why a settings file cannot be read at all."""
    try:
        tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        return [f"{FILE_VARIABLE}: {file} cannot be read ({error.strerror}); check path and rights"]
    except ValueError as error:
        return [f"{file}: cannot be read as TOML ({error}); save it as UTF-8 without BOM"]
    return []


def _unknown_variables() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {FILE_VARIABLE}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return [f"{name}: no such setting; {_resembling(name, known)}" for name in unknown]


def _resembling(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"


def _secrets_from_files() -> tuple[dict[str, str], list[str]]:
    """Secrets given as `INTACT_…_FILE`, and what was wrong with them."""
    secrets: dict[str, str] = {}
    problems = []
    for name in SECRETS:
        variable = f"{PREFIX}{name.upper()}_FILE"
        path = os.environ.get(variable)
        if not path:
            continue
        if PREFIX + name.upper() in os.environ:
            problems.append(f"{variable}: {PREFIX + name.upper()} is set too; keep one of them")
        try:
            secrets[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{variable}: {path} cannot be read ({error}); check path and rights")
    return secrets, problems


def _describe(entry: Any) -> str:
    message = entry["msg"].removeprefix("Value error, ")
    name = ".".join(str(part) for part in entry["loc"])
    if not name:
        return str(message)
    if entry["type"] == "extra_forbidden":
        return f"{name}: no such setting; take it out of {config_file() or 'the settings'}"
    secret = name in SECRETS or entry.get("input") is None
    return f"{name}: {message}" + ("" if secret else f" (given: {entry['input']!r})")
