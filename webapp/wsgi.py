"""The object a server loads."""

from webapp.app import create_app

app = create_app()
