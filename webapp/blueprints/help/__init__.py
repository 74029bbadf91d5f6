"""The handbook: each screen in plain words, and what the seed documents' attributes are called here."""

from flask import Blueprint

bp = Blueprint("help", __name__, url_prefix="/help")

from webapp.blueprints.help import views
