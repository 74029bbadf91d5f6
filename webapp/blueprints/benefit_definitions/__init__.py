"""Find, write, publish, try out and retire benefit definitions."""

from flask import Blueprint

bp = Blueprint("benefit_definitions", __name__, url_prefix="/benefits/definitions")

from webapp.blueprints.benefit_definitions import addresses, conditions, figures, states, views
