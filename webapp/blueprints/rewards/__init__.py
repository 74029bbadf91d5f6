"""Find, create, change, open and close rewards."""

from flask import Blueprint

bp = Blueprint("rewards", __name__, url_prefix="/rewards")

from webapp.blueprints.rewards import views
