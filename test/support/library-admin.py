#!/usr/bin/env python3
"""An admin image's program around `sqlx::migrate!`: the statements of sqlx-postgres 0.8 in their order, and its advisory lock.

migrate applies all that is pending in $MIGRATIONS (or the folder migrations), migrate-info lists. There is nothing else.
"""
import hashlib
import os
import pathlib
import re
import sys
import zlib

import psycopg

TABLE = """CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
    success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"""


def embedded():
    found = []
    for file in pathlib.Path(os.environ.get("MIGRATIONS", "migrations")).glob("*_*.sql"):
        version, rest = file.name.split("_", 1)
        if not rest.endswith(".down.sql"):
            found.append((int(version), re.sub(r"(\.up)?\.sql$", "", rest).replace("_", " "), file.read_bytes()))
    return sorted(found)


def main(word):
    if word not in ("migrate", "migrate-info"):
        sys.exit("Error: usage: library-admin migrate | migrate-info")
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    run = lambda sql, *values: connection.execute(sql, values or None)
    if word == "migrate-info":
        applied = {version for (version,) in run("SELECT version FROM _sqlx_migrations")} if run(
            "SELECT to_regclass('_sqlx_migrations')").fetchone()[0] else set()
        for version, description, _ in embedded():
            print(f"{version}/{'installed' if version in applied else 'pending'} {description}")
        return
    (database,) = run("SELECT current_database()").fetchone()
    lock = 0x3D32AD9E * zlib.crc32(database.encode())
    run("SELECT pg_advisory_lock(%s)", lock)
    run(TABLE)
    applied = dict(run("SELECT version, checksum FROM _sqlx_migrations ORDER BY version").fetchall())
    for version in applied:
        if version not in [each for each, _, _ in embedded()]:
            sys.exit(f"Error: migration {version} was previously applied but is missing in the resolved migrations")
    for version, description, text in embedded():
        checksum = hashlib.sha384(text).digest()
        if version in applied:
            if applied[version] != checksum:
                sys.exit(f"Error: migration {version} was previously applied but has been modified")
            continue
        without = text.startswith(b"-- no-transaction")
        try:
            if not without:
                run("BEGIN")
            run(text.decode())
            run("INSERT INTO _sqlx_migrations ( version, description, success, checksum, execution_time )"
                " VALUES ( %s, %s, TRUE, %s, -1 )", version, description, checksum)
            if not without:
                run("COMMIT")
        except psycopg.Error as error:
            sys.exit(f"Error: while executing migration {version}: error returned from database: {error}")
        run("UPDATE _sqlx_migrations SET execution_time = %s WHERE version = %s", 1, version)
    run("SELECT pg_advisory_unlock(%s)", lock)


main(sys.argv[1] if len(sys.argv) > 1 else "")
