"""The benefits people hold: a list, one with its ledger and history, what is done to it, and why something is not."""

from flask import Blueprint

bp = Blueprint("benefits", __name__, url_prefix="/benefits")

from webapp.blueprints.benefits import acts, issuing, printing, telling, views, voiding, why
