"""What runs where: services of teams, their environments and deployments."""

import os

from flask import Flask
from flask_migrate import Migrate

from .models import db

migrate = Migrate()


def database_uri() -> str:
    """The platform gives postgres:// (Heroku's form) or postgresql://; SQLAlchemy wants the driver's name."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        raise RuntimeError("DATABASE_URL is not set")
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = database_uri()
    db.init_app(app)
    migrate.init_app(app, db)
    return app
