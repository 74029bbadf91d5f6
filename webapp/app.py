"""Builds the application. Everything is wired here and nowhere else."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemBytecodeCache, StrictUndefined

from webapp import blueprints
from webapp.adapters.engines import engine_options
from webapp.config import ROOT, Settings
from webapp.extensions import csrf, db
from webapp.web import access, authentication, converters, errors, exporting, filters, headers, logs, navigation

LARGEST_UPLOAD = 25 * 1024 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """The application for ``settings``, or for the environment. Every package below ``blueprints`` is a screen."""
    settings = settings or Settings.from_environment()
    app = Flask("webapp", root_path=str(ROOT), instance_path=str(settings.instance))
    app.config.update(_flask_settings(settings))
    app.extensions["largesse"] = settings
    _prepare_templates(app, settings)
    db.init_app(app)
    csrf.init_app(app)
    app.jinja_env.globals["can"] = access.can
    for part in (converters, logs, headers, authentication, errors, filters, navigation, exporting):
        part.register(app)
    for screen in pkgutil.iter_modules(blueprints.__path__):
        app.register_blueprint(importlib.import_module(f"webapp.blueprints.{screen.name}").bp)
    return app


def _flask_settings(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database, settings.threads),
        "TRUSTED_HOSTS": list(settings.host_names),
        "MAX_CONTENT_LENGTH": LARGEST_UPLOAD,
        "MAX_FORM_MEMORY_SIZE": 500_000,
        "MAX_FORM_PARTS": 1_000,
        "WTF_CSRF_TIME_LIMIT": None,
        "SESSION_COOKIE_NAME": "__Host-visit" if settings.is_https else "visit",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }


def _prepare_templates(app: Flask, settings: Settings) -> None:
    cache = Path(settings.instance) / "templates"
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    app.jinja_options = {
        "trim_blocks": True,
        "lstrip_blocks": True,
        "undefined": StrictUndefined,
        "bytecode_cache": FileSystemBytecodeCache(str(cache)),
    }
