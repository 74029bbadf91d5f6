"""Find, write, look at and retire targets: the e-mails and webhooks that notices are sent with."""

from flask import Blueprint

bp = Blueprint("targets", __name__, url_prefix="/targets")

from webapp.blueprints.targets import secret, views
