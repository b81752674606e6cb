"""The command of the image: `boards-migrate upgrade`, `downgrade`, `current`, `history`."""

import argparse
import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError


def configuration() -> Config:
    """BOARDS_ALEMBIC_CONFIG, else alembic.ini of the working directory, else the one beside the package."""
    given = os.environ.get("BOARDS_ALEMBIC_CONFIG")
    candidates = [Path(given)] if given else [Path("alembic.ini"), Path(__file__).parents[1] / "alembic.ini"]
    for candidate in candidates:
        if candidate.is_file():
            return Config(str(candidate))
    raise CommandError(f"no alembic.ini at {' or '.join(map(str, candidates))}; set BOARDS_ALEMBIC_CONFIG")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="boards-migrate", description="Migrations of the Boards database")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upgrade").add_argument("revision", nargs="?", default="head")
    commands.add_parser("downgrade").add_argument("revision")
    commands.add_parser("current")
    commands.add_parser("history")
    chosen = parser.parse_args(arguments)
    try:
        config = configuration()
        if chosen.command in ("upgrade", "downgrade"):
            getattr(command, chosen.command)(config, chosen.revision)
        else:
            getattr(command, chosen.command)(config)
    except CommandError as error:
        print(f"boards-migrate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
