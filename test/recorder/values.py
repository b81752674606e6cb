"""Writes rows of many types into the table `kinds`, in each driver's own way; argv: host port database."""

import asyncio
import datetime
import decimal
import io
import sys
import uuid

import asyncpg
import psycopg
import psycopg2

host, port, database = sys.argv[1:4]
day = datetime.date(2024, 2, 29)
key = uuid.UUID("12345678-1234-5678-1234-567812345678")
statement = "insert into kinds(i, b, t, d, u, a, n, f) values (%s, %s, %s, %s, %s, %s, %s, %s)"
values = (1, 2**40, "ü;'\"", day, str(key), [1, 2, 3], decimal.Decimal("1.50"), 0.1)


async def with_asyncpg():
    connection = await asyncpg.connect(host=host, port=port, database=database)
    sql = "insert into kinds(i, b, t, d, u, a, j, y, n, f) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    row = (2, -5, "é", day, key, [4, None], '{"a": 1}', b"\x00\xff", decimal.Decimal("-0.001"), 1e300)
    async with connection.transaction():
        await connection.execute(sql, *row)
        await connection.executemany("insert into kinds(i, t) values ($1, $2)", [(3, "x"), (4, None)])
        await connection.copy_records_to_table("kinds", records=[(5, 6)], columns=["i", "b"])
    await connection.close()


with psycopg2.connect(host=host, port=port, dbname=database) as connection:
    cursor = connection.cursor()
    cursor.execute(statement, values)
    cursor.copy_expert("copy kinds(i, t) from stdin", io.StringIO("10\tten\n"))
connection.close()

with psycopg.connect(host=host, port=port, dbname=database) as connection:
    connection.execute(statement, values)
    connection.execute("insert into kinds(i, y) values (%b, %b)", (11, b"\x00\x01"))
    with connection.cursor().copy("copy kinds(i, t) from stdin (format binary)") as copy:
        copy.set_types(["int4", "text"])
        copy.write_row((12, "twelve"))

asyncio.run(with_asyncpg())
