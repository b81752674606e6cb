"""The tables as the application sees them: the source of truth that `flask db check` compares the migrations with."""

import enum
from datetime import datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Enum, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)


class EnvironmentKind(enum.Enum):
    development = "development"
    staging = "staging"
    production = "production"


class ServiceTier(enum.Enum):
    internal = "internal"
    standard = "standard"
    critical = "critical"


class Team(db.Model):
    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class Service(db.Model):
    __tablename__ = "services"
    __table_args__ = (UniqueConstraint("team_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("teams.id"))
    name: Mapped[str] = mapped_column(String(80))
    repository: Mapped[str] = mapped_column(String(200))
    runbook_url: Mapped[str | None] = mapped_column(String(500))
    tier: Mapped[ServiceTier] = mapped_column(Enum(ServiceTier, name="service_tier"), server_default="standard")


class Environment(db.Model):
    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("service_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[EnvironmentKind] = mapped_column(Enum(EnvironmentKind, name="environment_kind"))


class Deployment(db.Model):
    __tablename__ = "deployments"
    __table_args__ = (Index("ix_deployments_environment_id_deployed_at", "environment_id", "deployed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    environment_id: Mapped[int] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    commit_sha: Mapped[str] = mapped_column(String(40))
    deployed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    deployed_by: Mapped[str | None] = mapped_column(String(80))


class Incident(db.Model):
    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("services.id", ondelete="CASCADE"), index=True)
    summary: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
