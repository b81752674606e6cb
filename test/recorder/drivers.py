"""What psycopg2, psycopg and asyncpg can do, as JSON: a result by scenario. argv: host port database."""

import asyncio
import io
import json
import os
import sys
import threading
import time

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
from psycopg import pq

host, port, database = sys.argv[1:4]
address = dict(host=host, port=port, dbname=database)
write = "UPDATE alembic_version SET version_num='{}' WHERE version_num<>'-'"
scenarios = {}


def scenario(function):
    scenarios[function.__name__] = function
    return function


def version(connection):
    cursor = connection.cursor()
    cursor.execute("select version_num from alembic_version")
    return cursor.fetchone()[0]


@scenario
def psycopg2_transaction_and_errors():
    connection = psycopg2.connect(**address)
    cursor = connection.cursor()
    cursor.execute("create table p2(a int primary key, b text)")
    cursor.execute(write.format("p2"))
    psycopg2.extras.execute_values(cursor, "insert into p2 values %s", [(i, f"é{i}") for i in range(500)])
    cursor.executemany("insert into p2 values (%s, %s)", [(i, None) for i in range(500, 520)])
    result = [cursor.rowcount]
    connection.commit()
    for text in ["insert into p2 values (1, 'x')", "select 1/0", "selec", write.format("lost")]:
        try:
            cursor.execute(text)
            result.append(cursor.statusmessage)
        except psycopg2.Error as error:
            result.append([error.pgcode, error.diag.message_primary, error.diag.constraint_name])
    connection.rollback()
    cursor.execute("do $$ begin raise notice 'hello %', 'é'; raise warning 'w'; end $$")
    result += [connection.notices, version(connection)]
    cursor.execute("drop table p2")
    connection.commit()
    return result


@scenario
def psycopg2_cancel():
    connection = psycopg2.connect(**address)
    done = threading.Event()

    def cancel():
        # One that comes before its statement cancels nothing.
        while not done.wait(0.2):
            connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        connection.cursor().execute("select pg_sleep(20)")
    except psycopg2.errors.QueryCanceled as error:
        return error.pgcode
    finally:
        done.set()
        canceller.join()


@scenario
def psycopg2_server_cursor_across_a_boundary():
    connection = psycopg2.connect(**address)
    cursor = connection.cursor(name="cur")
    cursor.itersize = 500
    cursor.execute("select generate_series(1, 5000)")
    rows = iter(cursor)
    first = [next(rows)[0] for _ in range(10)]
    connection.cursor().execute(write.format("cursor"))
    rest = sum(1 for _ in rows)
    connection.commit()
    return [first, rest]


@scenario
def psycopg2_copy():
    connection = psycopg2.connect(**address)
    cursor = connection.cursor()
    cursor.execute("create temp table big(a int, b text)")
    cursor.copy_expert("copy big from stdin", io.StringIO("".join(f"{i}\trow {i}\n" for i in range(20000))))
    cursor.execute(write.format("copy"))
    out = io.StringIO()
    cursor.copy_expert("copy (select * from big order by a) to stdout", out)
    try:
        cursor.copy_expert("copy big from stdin", io.StringIO("x\ty\n"))
    except psycopg2.Error as error:
        return [len(out.getvalue()), error.pgcode]


@scenario
def psycopg2_autocommit_and_isolation():
    connection = psycopg2.connect(**address)
    connection.set_session(isolation_level="SERIALIZABLE", autocommit=False)
    cursor = connection.cursor()
    cursor.execute(write.format("serializable"))
    cursor.execute("show transaction_isolation")
    result = cursor.fetchone()
    connection.commit()
    connection.autocommit = True
    cursor.execute("create table ci(a int)")
    cursor.execute("create index concurrently ix on ci(a)")
    cursor.execute(write.format("auto"))
    cursor.execute("drop index concurrently ix")
    cursor.execute("drop table ci")
    return [result, version(connection), connection.get_transaction_status()]


@scenario
def psycopg2_notifications():
    connection = psycopg2.connect(**address)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("listen ch")
    other = psycopg2.connect(**address)
    other.autocommit = True
    for index in range(20):
        other.cursor().execute(f"notify ch, '{index}'")
        cursor.execute(write.format(f"n{index}"))
    cursor.execute("select 1")
    return [note.payload for note in connection.notifies]


@scenario
def psycopg2_latin1():
    connection = psycopg2.connect(**address)
    connection.set_client_encoding("LATIN1")
    cursor = connection.cursor()
    cursor.execute('create temp table "télé"("prénom" text)')
    cursor.execute('insert into "télé" values (%s)', ("à",))
    cursor.execute(write.format("é"))
    cursor.execute('select * from "télé"')
    result = [cursor.fetchall(), cursor.description[0].name, version(connection)]
    connection.commit()
    return result


@scenario
def psycopg2_abrupt_end():
    connection = psycopg2.connect(**address)
    connection.cursor().execute(write.format("abrupt"))
    os.close(connection.fileno())
    time.sleep(0.2)
    return version(psycopg2.connect(**address)) == "abrupt"


@scenario
def psycopg_prepared_statements():
    connection = psycopg.connect(**address, prepare_threshold=0)
    cursor = connection.cursor()
    result = []
    for index in range(6):
        result.append(cursor.execute("select %s::int + 1", (index,)).fetchone())
        cursor.execute("UPDATE alembic_version SET version_num=%s WHERE version_num<>'-'", (f"p{index}",))
    cursor.execute("create temp table gone(a int)")
    cursor.execute("drop table gone")
    result.append(cursor.execute("select %s::int + 1", (9,)).fetchone())
    connection.commit()
    names = "select count(*) from pg_prepared_statements where name like '\\_pg3%%'"
    result.append(connection.execute(names).fetchone())
    connection.rollback()
    return result


@scenario
def psycopg_pipeline():
    connection = psycopg.connect(**address)
    with connection.pipeline() as pipeline:
        connection.execute("create table pl(a int)")
        connection.execute(write.format("pl"))
        one = connection.execute("select 42")
        pipeline.sync()
        connection.execute("drop table pl")
        connection.execute(write.format("pm"))
        pipeline.sync()
        result = [one.fetchone()]
    connection.commit()
    try:
        with connection.pipeline():
            connection.execute(write.format("lost"))
            connection.execute("select 1/0")
            connection.execute(write.format("skipped"))
    except psycopg.Error as error:
        result.append(error.sqlstate)
    connection.rollback()
    return result + [version(connection)]


@scenario
def psycopg_copy_and_binary():
    connection = psycopg.connect(**address)
    cursor = connection.cursor(binary=True)
    cursor.execute("create temp table big(a int, b text)")
    with cursor.copy("copy big from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        for index in range(5000):
            copy.write_row((index, f"r{index}"))
    cursor.execute(write.format("c3"))
    with cursor.copy("copy (select * from big where a >= %s) to stdout", (4000,)) as copy:
        size = sum(len(bytes(part)) for part in copy)
    try:
        with cursor.copy("copy big from stdin") as copy:
            copy.write("x\ty\n")
    except psycopg.Error as error:
        return [size, error.sqlstate]


@scenario
def psycopg_server_cursor_and_savepoints():
    connection = psycopg.connect(**address)
    result = []
    with connection.transaction():
        with connection.cursor(name="cur") as cursor:
            cursor.execute("select generate_series(1, 100)")
            result.append(len(cursor.fetchmany(10)))
            connection.execute(write.format("outer"))
            result.append(len(cursor.fetchall()))
        try:
            with connection.transaction():
                connection.execute(write.format("inner"))
                raise ValueError
        except ValueError:
            pass
        result.append(version(connection))
    return result + [version(connection)]


@scenario
def psycopg_hold_cursor():
    connection = psycopg.connect(**address)
    connection.execute("declare h cursor with hold for select generate_series(1, 10)")
    result = [len(connection.execute("fetch 3 from h").fetchall())]
    connection.execute(write.format("hold"))
    connection.commit()
    result.append(len(connection.execute("fetch all from h").fetchall()))
    connection.rollback()
    return result


@scenario
def psycopg_extended_copy():
    connection = psycopg.connect(**address)
    connection.execute("create temp table big(a int, b text)")
    raw = connection.pgconn
    raw.send_query_params(b"copy big from stdin", [])
    raw.flush()
    while raw.is_busy():
        raw.consume_input()
    result = [pq.ExecStatus(raw.get_result().status).name]
    raw.put_copy_data(b"1\tx\n")
    raw.put_copy_end()
    while True:
        while raw.is_busy():
            raw.consume_input()
        answer = raw.get_result()
        if answer is None:
            break
        result.append(pq.ExecStatus(answer.status).name)
    return result + [raw.transaction_status]


@scenario
def psycopg_search_path_and_role():
    connection = psycopg.connect(**address, options="-c statement_timeout=30s -c lock_timeout=5s")
    connection.execute("create schema tenant")
    connection.execute("create table tenant.alembic_version(version_num text)")
    connection.execute("set local search_path=tenant")
    connection.execute("insert into alembic_version(version_num) values ('tenant')")
    result = [connection.execute("show search_path").fetchone(), version(connection)]
    connection.execute("drop schema tenant cascade")
    connection.commit()
    connection.execute("set role low")
    connection.execute(write.format("low"))
    who = "select current_user, current_setting('statement_timeout'), current_setting('lock_timeout')"
    result.append(connection.execute(who).fetchone())
    connection.commit()
    return result


@scenario
def psycopg_big_value():
    connection = psycopg.connect(**address)
    return connection.execute("select length(%s::text)", ("x" * 20_000_000,)).fetchone()


@scenario
def psycopg_asynchronous():
    async def go():
        connection = await psycopg.AsyncConnection.connect(**address, prepare_threshold=0)
        result = []
        async with connection.transaction():
            await connection.execute(write.format("async"))
            cursor = await connection.execute("select generate_series(1, 3)")
            result.append(await cursor.fetchall())
        async with connection.pipeline():
            await connection.execute(write.format("async pipeline"))
            cursor = await connection.execute("select 5")
            result.append(await cursor.fetchone())
        await connection.commit()
        await connection.close()
        return result

    return asyncio.run(go())


def asyncpg_connect(**options):
    return asyncpg.connect(host=host, port=port, database=database, **options)


@scenario
def asyncpg_cursor_and_prepared_statement_across_a_boundary():
    async def go():
        connection = await asyncpg_connect()
        statement = await connection.prepare("select $1::int * 2")
        result = []
        async with connection.transaction():
            cursor = await connection.cursor("select generate_series(1, 100)")
            result.append(len(await cursor.fetch(10)))
            await connection.execute("UPDATE alembic_version SET version_num=$1 WHERE version_num<>'-'", "ap")
            result += [len(await cursor.fetch(200)), await statement.fetchval(21)]
        await connection.execute("create temp table big(a int, b text)")
        await connection.executemany("insert into big values ($1, $2)", [(i, str(i)) for i in range(2000)])
        await connection.copy_records_to_table("big", records=[(i, "z") for i in range(20000)])
        result.append(await connection.fetchval("select count(*) from big"))
        try:
            await connection.execute("select pg_sleep(20)", timeout=0.3)
        except asyncio.TimeoutError:
            result.append("timeout")
        try:
            await connection.execute("select 1; select 1/0; select 2")
        except asyncpg.PostgresError as error:
            result.append(error.sqlstate)
        result.append(await connection.fetchval("select 7"))
        await connection.close()
        return result

    return asyncio.run(go())


@scenario
def asyncpg_pool():
    async def go():
        pool = await asyncpg.create_pool(host=host, port=port, database=database, min_size=4, max_size=8)

        async def work(index):
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(f"create table w{index}(a int)")
                await connection.execute(f"insert into alembic_version(version_num) values ('w{index}')")
                await connection.execute(f"drop table w{index}")
                await connection.execute(f"delete from alembic_version where version_num = 'w{index}'")

        await asyncio.gather(*[work(index) for index in range(30)])
        count = await pool.fetchval("select count(*) from alembic_version")
        await pool.close()
        return count

    return asyncio.run(go())


@scenario
def asyncpg_terminate_and_listen():
    async def go():
        connection = await asyncpg_connect(server_settings={"application_name": "x", "search_path": "pg_catalog, public"})
        heard = []
        await connection.add_listener("ch", lambda *arguments: heard.append(arguments[3]))
        other = await asyncpg_connect()
        for index in range(5):
            await other.execute(f"notify ch, '{index}'")
            await connection.execute(write.format(f"l{index}"))
        await connection.fetchval("select 1")
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(write.format("terminated"))
        connection.terminate()
        await asyncio.sleep(0.2)
        seen = await other.fetchval("select version_num from alembic_version")
        await other.close()
        return [heard, seen]

    return asyncio.run(go())


def setup():
    connection = psycopg2.connect(**address)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("drop table if exists alembic_version")
    cursor.execute("create table alembic_version(version_num varchar(32)); insert into alembic_version values ('a')")
    cursor.execute("do $$ begin if to_regrole('low') is null then create role low; end if; end $$")
    cursor.execute("grant all on alembic_version to low")
    connection.close()


results = {}
setup()
for name, function in scenarios.items():
    try:
        results[name] = function()
    except Exception as error:
        results[name] = f"{type(error).__name__}: {error}"
print(json.dumps(results, default=str, ensure_ascii=False))
