"""Addresses for monitors and load balancers."""

from flask import Blueprint

bp = Blueprint("health", __name__)

from webapp.blueprints.health import views
