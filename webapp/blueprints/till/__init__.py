"""The till: scan or type a code, see one verdict, press Enter; a slip is undone within a minute."""

from flask import Blueprint

bp = Blueprint("till", __name__, url_prefix="/till")

from webapp.blueprints.till import lock, receipts, scanning, verdicts
