"""Long work: what waits, runs and has ended."""

from flask import Blueprint

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

from webapp.blueprints.jobs import views
