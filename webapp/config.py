"""Settings: one frozen dataclass, read once from the environment and checked before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_HERE = Path(__file__).resolve().parent
ROOT = _HERE / "_bundled" if (_HERE / "_bundled").is_dir() else _HERE.parent
PREFIX = "LARGESSE_"
# Read by the set-up and the container, not by the program.
_OUTSIDE = frozenset({"NO_BOOTSTRAP"})


class BadSettings(Exception):
    """The environment cannot be served; the message says which variable and why."""


@dataclass(frozen=True)
class Settings:
    """Everything an operator decides. Names are the environment's names without ``LARGESSE_``, in lower case."""

    secret_key: str
    database_url: str = ""
    instance: Path = field(default_factory=lambda: Path("instance").resolve())
    public_url: str = "http://localhost:8400"
    trusted_hosts: tuple[str, ...] = ()
    timezone: str = "Europe/London"
    smtp_url: str = ""
    mail_from: str = "largesse@localhost"
    webhooks: str = "on"
    webhook_hosts: tuple[str, ...] = ()
    scheduler: bool = True
    insecure_local: bool = False
    image_hosts: tuple[str, ...] = ()
    log_level: str = "info"
    threads: int = 8

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``LARGESSE_…``; an unknown name or a value that cannot be used raises ``BadSettings``."""
        given = {
            name.removeprefix(PREFIX): value
            for name, value in (os.environ if environment is None else environment).items()
            if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _OUTSIDE
        }
        known = {item.name.upper() for item in fields(cls)} - {"THREADS"}
        for name in sorted(given.keys() - known):
            raise BadSettings(f"{PREFIX}{name} is not a setting. Known: {', '.join(sorted(known))}.")
        instance = Path(given.get("INSTANCE", "instance")).resolve()
        settings = cls(
            secret_key=given.get("SECRET_KEY", "") or _stored_key(instance),
            database_url=given.get("DATABASE_URL", ""),
            instance=instance,
            public_url=given.get("PUBLIC_URL", cls.public_url).rstrip("/"),
            trusted_hosts=_words(given.get("TRUSTED_HOSTS", "")),
            timezone=given.get("TIMEZONE", cls.timezone),
            smtp_url=given.get("SMTP_URL", ""),
            mail_from=given.get("MAIL_FROM", cls.mail_from),
            webhooks=given.get("WEBHOOKS", cls.webhooks).lower(),
            webhook_hosts=tuple(host.lower() for host in _words(given.get("WEBHOOK_HOSTS", ""))),
            scheduler=_switch("SCHEDULER", given.get("SCHEDULER", "on")),
            insecure_local=_switch("INSECURE_LOCAL", given.get("INSECURE_LOCAL", "off")),
            image_hosts=_words(given.get("IMAGE_HOSTS", "")),
            log_level=given.get("LOG_LEVEL", cls.log_level).lower(),
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Raise ``BadSettings`` for a value that would only fail later, in front of a user."""
        if self.log_level not in {"debug", "info", "warning", "error"}:
            raise BadSettings(f"LARGESSE_LOG_LEVEL is «{self.log_level}»; use debug, info, warning or error.")
        if self.webhooks not in {"on", "file"}:
            raise BadSettings(f"LARGESSE_WEBHOOKS is «{self.webhooks}»; use on, or file to write them into a folder.")
        if not self.public_url.startswith(("http://", "https://")):
            raise BadSettings(f"LARGESSE_PUBLIC_URL is «{self.public_url}»; it must start with https:// or http://.")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadSettings(f"LARGESSE_TIMEZONE is «{self.timezone}»; use a name such as Europe/London.") from None

    @property
    def database(self) -> str:
        """The SQLAlchemy URL: the one given, with the driver we ship, or the file in the instance folder."""
        url = self.database_url or f"sqlite:///{self.instance / 'largesse.db'}"
        for short in ("postgres://", "postgresql://"):
            if url.startswith(short):
                return "postgresql+psycopg://" + url.removeprefix(short)
        return url

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def host_names(self) -> tuple[str, ...]:
        """Host names a request may carry; the public address always counts."""
        public = self.public_url.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0]
        return tuple(dict.fromkeys((public, "localhost", "127.0.0.1", "[::1]", *self.trusted_hosts)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _switch(name: str, text: str) -> bool:
    value = {"on": True, "1": True, "yes": True, "true": True, "off": False, "0": False, "no": False, "false": False}
    if text.lower() not in value:
        raise BadSettings(f"{PREFIX}{name} is «{text}»; use on or off.")
    return value[text.lower()]


def _stored_key(instance: Path) -> str:
    """The key ``init`` or ``demo`` wrote beside the database, so that a restart keeps every session and code."""
    path = instance / "secret_key"
    return path.read_text().strip() if path.is_file() else ""
