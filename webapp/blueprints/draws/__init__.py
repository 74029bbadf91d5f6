"""Review, seal, draw, prove: the draw of one reward, and its public record."""

from flask import Blueprint

bp = Blueprint("draws", __name__)

from webapp.blueprints.draws import public, views
