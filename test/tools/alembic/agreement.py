"""What Alembic itself makes of projects and of functions. Reads JSON on stdin, answers JSON."""

import contextlib
import io
import json
import os
import sys
import types
import warnings

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

warnings.simplefilter("ignore")


def words(value):
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def read(project):
    root = os.path.realpath(project["root"])
    os.chdir(root)
    for name in [name for name in sys.modules if name == "package" or name.startswith("package.")]:
        del sys.modules[name]
    try:
        config = Config(project["config"], toml_file="pyproject.toml", ini_section=project["section"])
        scripts = ScriptDirectory.from_config(config)
        found = {}
        for script in scripts._load_revisions():
            found[script.revision] = {
                "parents": words(script.down_revision),
                "dependsOn": words(script.dependencies),
                "labels": sorted(script._orig_branch_labels),
                "file": os.path.relpath(script.path, root),
                "message": script.doc.split("\n")[0],
            }
        list(scripts.walk_revisions())
        heads, bases = sorted(scripts.get_heads()), sorted(scripts.get_bases())
        return {"revisions": found, "heads": heads, "bases": bases}
    except Exception as error:
        return {"error": type(error).__name__}


def run(source):
    """The number of statements that upgrade() runs, or the exception that it raises."""
    module = types.ModuleType("revision")
    engine = sa.create_engine("sqlite://")
    statements = []
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            exec(compile(source, "revision.py", "exec"), module.__dict__)
            sa.event.listen(connection, "before_cursor_execute", lambda c, cursor, text, *_: statements.append(text))
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    module.upgrade()
            except Exception as error:
                return f"{type(error).__name__}: {error}"
    return len([text for text in statements if "SELECT 1" not in text])


request = json.load(sys.stdin)
print(json.dumps({"projects": [read(p) for p in request["projects"]], "functions": [run(s) for s in request["functions"]]}))
