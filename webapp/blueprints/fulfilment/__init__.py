"""Work the winners of a reward: a board of cards by stage, and one winner at a time."""

from flask import Blueprint

bp = Blueprint("fulfilment", __name__, url_prefix="/fulfilment")

from webapp.blueprints.fulfilment import views
