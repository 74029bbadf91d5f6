"""Batches that issue a benefit each to many people: planned, checked, started, undone."""

from flask import Blueprint

bp = Blueprint("benefit_batches", __name__, url_prefix="/benefits/batches")

from webapp.blueprints.benefit_batches import views
