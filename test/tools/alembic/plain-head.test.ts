import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readModule } from "../../../src/tools/alembic/python/module";
import { parsePython } from "../../../src/tools/alembic/python/node";
import { type PlainHead, plainHead } from "../../../src/tools/alembic/python/plain-head";
import { pythonSource } from "../../../src/tools/alembic/python/source";
import { firstError } from "../../../src/tools/alembic/python/tree";

const names = ["revision", "down_revision", "branch_labels", "depends_on"];

/** What a revision's head says, as readRevisionFile asks for it. */
function told(head: PlainHead) {
  return {
    docstring: head.docstring,
    imports: [...head.imports],
    values: names.map((name) => [head.places.get(name)?.from, head.constants.get(name)]),
  };
}

function plain(text: string) {
  const head = plainHead(pythonSource(text), text.length);
  return head === undefined ? undefined : told(head);
}

function parsed(text: string) {
  const top = parsePython(text);
  return firstError(top) === undefined ? told(readModule(pythonSource(text), top)) : undefined;
}

const template = `"""create "users"

Revision ID: 1975ea83b712
Revises:
"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa, os.path
from sqlalchemy.dialects import (
    postgresql,
    mysql as my,
)

# revision identifiers, used by Alembic.
revision: str = "1975ea83b712"  # the id
down_revision: Union[str, Sequence[str], None] = ('a', "b",)
branch_labels = ["x", None]
depends_on = None


`;

const taken: Readonly<Record<string, string>> = {
  template,
  "no docstring": 'revision = "a"\ndown_revision = None\n',
  "a docstring on one line": "'x'\nrevision = 'a'\ndown_revision = ()\n",
  "comments first": '# coding: utf-8\n\n"""é"""\nrevision = "a"\ndown_revision = []\n',
  "twice the same name": 'revision = "a"\ndown_revision = None\nrevision = "b"\n',
};

const left: Readonly<Record<string, string>> = {
  "a computed value": "revision = make()\n",
  "another name's value": 'x = "a"\nrevision = x\n',
  "two parts": 'revision = "a" "b"\n',
  "an escape": 'revision = "\\x61"\n',
  "a prefix": 'revision = r"a"\n',
  "three quotes": 'revision = """a"""\n',
  "a bare tuple": 'down_revision = "a", "b"\n',
  "parentheses that make no tuple": 'down_revision = ("a")\n',
  "two targets": 'revision = a = "x"\n',
  "a semicolon": 'revision = "a"; revision = "b"\n',
  "an import of the name": "from ids import revision\n",
  "an import of the name in parentheses": "from ids import (\n    x,\n    revision,\n)\n",
  "a condition": 'if True:\n    revision = "a"\n',
  "a line that goes on": 'revision = \\\n  "a"\n',
  "an end of line of old Macs": 'revision = "a"\rdown_revision = None\n',
  "a string statement later": 'x = None\n"""\nrevision = "b"\n"""\n',
  "a keyword that is imported": "from import import op\n",
  "a type without an end": 'revision: Union[str = "a"\n',
  "a keyword that is given a value": 'is = "a"\n',
  "a docstring without an end": '"""\nrevision = "a"\n',
};

describe("the head of a file", () => {
  test.for(Object.entries(taken))("%s: read without a parser, and the same", ([, text], { expect }) => {
    expect(plain(text)).toEqual(parsed(text));
    expect(parsed(text)).not.toBe(undefined);
  });

  test.for(Object.entries(left))("%s: left to the parser", ([, text], { expect }) => {
    expect(plain(text)).toBe(undefined);
  });

  test("never another answer than the parser's, whatever is changed", () => {
    const texts = fc.constantFrom(...Object.values(taken), ...Object.values(left));
    const pieces = fc.constantFrom(
      ..."\"'#\\\n\r\t ,()[]=:|;x",
      '"""',
      "None",
      "revision",
      "import ",
      '"a", ',
      " as ",
    );
    fc.assert(
      fc.property(texts, fc.array(fc.tuple(fc.nat(), fc.nat(3), pieces), { maxLength: 3 }), (text, edits) => {
        let changed = text;
        for (const [place, cut, piece] of edits) {
          const at = place % (changed.length + 1);
          changed = changed.slice(0, at) + piece + changed.slice(at + cut);
        }
        const mine = plain(changed);
        const theirs = parsed(changed);
        if (mine !== undefined) expect(mine).toEqual(theirs);
      }),
      { numRuns: 5000 },
    );
  });
});
