/** A file's text, its bytes, or where it links to. */
export type OddFile = string | Buffer | { readonly link: string };

export interface OddProject {
  readonly files: Readonly<Record<string, OddFile>>;
  readonly config?: string;
  readonly section?: string;
  /** Alembic's exception where it refuses the project. */
  readonly refused?: string;
  /** Words of what we say: kinds of problems, rules of the graph, or what a UserError names. */
  readonly told?: readonly string[];
}

const body = "\ndef upgrade():\n    pass\n\ndef downgrade():\n    pass\n";
const usual = "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n";

/** A revision's file; `down` is Python. */
function revision(id: string, down = "None", more = ""): string {
  return `"""${id} does"""\nrevision = "${id}"\ndown_revision = ${down}\n${more}${body}`;
}

/** A project with the usual configuration and these files in its versions folder. */
function versions(files: Readonly<Record<string, OddFile>>): OddProject["files"] {
  const placed = Object.entries(files).map(([name, file]) => [`migrations/versions/${name}`, file] as const);
  return { "alembic.ini": usual, ...Object.fromEntries(placed) };
}

/** A project with this configuration and one revision. */
function configured(ini: string | Buffer): OddProject["files"] {
  return { ...versions({ "a.py": revision("a") }), "alembic.ini": ini };
}

/** Projects that are read as the real Alembic reads them, or refused as it refuses them. */
export const oddProjects: Readonly<Record<string, OddProject>> = {
  "annotated, tuples and lists": {
    files: versions({
      "a.py": `"""A\n\nlong"""\nfrom typing import Union\nrevision: str = "a"\ndown_revision: Union[str, None] = None\nbranch_labels: str = ("x", "y")\n${body}`,
      "b.py": revision("b", '("a",)'),
      "c.py": revision("c", '["a"]'),
      "d.py": `revision="d"\ndown_revision="b","c"\n${body}`,
    }),
  },
  "constants, concatenation, f-strings, several targets": {
    files: versions({
      "a.py": `PREFIX = "v1"\nrevision = PREFIX + "." "a"\ndown_revision = (None)\n${body}`,
      "b.py": `P="v1"\nrevision, down_revision = "b", f"{P}.a"\n${body}`,
      "c.py": `revision = x = "c"\ndown_revision = tuple(["b"])\n${body}`,
      "d.py": `revision = str('d')\ndown_revision = ('c'\n  # comment\n)\ndepends_on = {'b'}\n${body}`,
      "e.py": `revision="e"; down_revision="d"; branch_labels=None\nwith open("/dev/null"):\n  depends_on = "b"\n${body}`,
    }),
  },
  "names after the functions, names in classes and functions": {
    files: versions({
      "a.py": `${body}\nrevision="a"\ndown_revision=None\n`,
      "b.py": `class X:\n  revision="no"\nrevision="b"\ndown_revision="a"\n${body}\ndepends_on="a"\n`,
      "c.py": `revision="c"\ndown_revision=None\ndef f():\n  down_revision="zz"\n${body}\ndown_revision = 'b'\n`,
      "d.py": `"""x\ndef not_a_function\nrevision = 1\n"""\nrevision="d"\ndown_revision="c"\n${body}`,
    }),
  },
  "what is no revision file": {
    files: versions({
      "__init__.py": "",
      "__init__x.py": "boom(",
      ".#a.py": "boom(",
      "a.py~": "boom(",
      "a.py.orig": "x(",
      ".a.py.swp": Buffer.from([255]),
      "a.py": revision("a"),
      ".hidden.py": revision("hidden", '"a"'),
      "__pycache__/z.py": revision("z"),
      "sub/n.py": revision("n"),
      "b.pyc": "",
    }),
  },
  "folders in folders": {
    files: {
      ...versions({
        "2024/b.py": revision("b", '"a"'),
        "2023/a.py": revision("a"),
        "2024/deep/c.py": revision("c", '"b"'),
        "__pycache__/z.py": revision("z"),
        "x__pycache__/z2.py": revision("z2"),
        "x__pycache__/in/z3.py": revision("z3", '"c"'),
      }),
      "alembic.ini": `${usual}recursive_version_locations = true\n`,
    },
  },
  "recursive needs the word true": {
    files: {
      ...versions({ "a.py": revision("a"), "s/b.py": revision("b") }),
      "alembic.ini": `${usual}recursive_version_locations = True\n`,
    },
  },
  "a file without revision": {
    files: versions({ "a.py": revision("a"), "helper.py": "X = 1\n" }),
    refused: "CommandError",
    told: ["no-revision-id"],
  },
  "an id from the file's name": {
    files: versions({ "abc123.py": `down_revision = None\n${body}`, "b.py": revision("b", '"abc123"') }),
  },
  "no down_revision": {
    files: versions({ "a.py": `revision = "a"\n${body}` }),
    refused: "AttributeError",
    told: ["no-revision-id"],
  },
  "an id that is None": {
    files: versions({ "a.py": `revision = None\ndown_revision = None\n${body}` }),
    refused: "TypeError",
    told: ["not-a-constant"],
  },
  "an empty parent": {
    files: versions({ "a.py": revision("a", '""') }),
    refused: "KeyError",
    told: ["missing-parent"],
  },
  "empty collections": {
    files: versions({ "a.py": revision("a", "()"), "b.py": revision("b", "[]") }),
    told: ["multiple-heads"],
  },
  "an id with a dash": {
    files: versions({ "a.py": revision("2024-01") }),
    refused: "RevisionError",
    told: ["illegal-id"],
  },
  "a missing parent": {
    files: versions({ "a.py": revision("a", '"gone"') }),
    refused: "KeyError",
    told: ["missing-parent"],
  },
  "a part of an id as parent": {
    files: versions({ "a.py": revision("abcdef"), "b.py": revision("b", '"abc"') }),
    refused: "KeyError",
    told: ["missing-parent", "multiple-heads"],
  },
  "a label as parent": {
    files: versions({
      "a.py": revision("a", "None", 'branch_labels = "lab"\n'),
      "b.py": revision("b", '"lab"'),
    }),
    refused: "KeyError",
    told: ["missing-parent", "multiple-heads"],
  },
  "a label as dependency": {
    files: versions({
      "a.py": revision("a", "None", 'branch_labels = "lab"\n'),
      "b.py": revision("b", "None", 'depends_on = ("lab",)\n'),
    }),
    told: ["multiple-heads"],
  },
  "a label twice": {
    files: versions({
      "a.py": revision("a", "None", 'branch_labels = "lab"\n'),
      "b.py": revision("b", '"a"', 'branch_labels = "lab"\n'),
    }),
    refused: "CommandError",
    told: ["duplicate-revision"],
  },
  "its own parent": {
    files: versions({ "a.py": revision("a", '"a"') }),
    refused: "LoopDetected",
    told: ["revision-cycle"],
  },
  "a cycle": {
    files: versions({
      "z.py": revision("z"),
      "a.py": revision("a", '"c"'),
      "b.py": revision("b", '"a"'),
      "c.py": revision("c", '"b"'),
    }),
    refused: "CommandError",
    told: ["revision-cycle"],
  },
  "a coding cookie": {
    files: versions({
      "a.py": Buffer.from(
        `# -*- coding: latin-1 -*-\n"""h\u00e9llo"""\nrevision="\u00e9"\ndown_revision=None\n${body}`,
        "latin1",
      ),
    }),
  },
  "bytes that are not UTF-8": {
    files: versions({ "a.py": Buffer.from(`"""h\u00e9llo"""\n${revision("a")}`, "latin1") }),
    refused: "SyntaxError",
    told: ["syntax"],
  },
  "byte order mark, CRLF, other letters, tabs": {
    files: versions({
      "a.py": `\uFEFF${revision("a").replaceAll("\n", "\r\n")}`,
      "b.py": `"""\t\u00fc\u65e5\u672c \u{1f600}\r\n\r\n more"""\r\n${revision("b", '"a"')}`,
      "c.py": `revision\t=\t"c"\ndown_revision\t=\t"b"\ndef upgrade():\n\tpass\ndef downgrade():\n\tif 1:\n\t\tpass\n`,
    }),
  },
  "a syntax error": {
    files: versions({ "a.py": `${revision("a")}\ndef x(:\n` }),
    refused: "SyntaxError",
    told: ["syntax"],
  },
  docstrings: {
    files: versions({
      "a.py": `\n\n# c\n'''   x\\ty \\x41\n  second\n\n third'''\nrevision=r"a\\d"\ndown_revision=None\n${body}`,
      "b.py": `f"""no doc"""\nrevision='''b'''\ndown_revision="a\\\\d"\n${body}`,
      "c.py": `"""one""" """ two"""\nrevision="c"\ndown_revision="b"\n${body}`,
    }),
  },
  "several version locations": {
    files: {
      "one/a.py": revision("a"),
      "two x/b.py": revision("b", '"a"'),
      "three/c.py": revision("c", '"b"'),
      "migrations/env.py": "",
      "alembic.ini":
        "[alembic]\nscript_location=migrations\nversion_locations = %(here)s/one:%(here)s/two x:three:nothere\npath_separator=os\n",
    },
  },
  "one a line": {
    files: {
      "one/a.py": revision("a"),
      "two/b.py": revision("b", '"a"'),
      "migrations/env.py": "",
      "alembic.ini":
        "[alembic]\nscript_location=migrations\nversion_locations =\n    one\n    # comment\n\n    two\npath_separator=newline\n",
    },
  },
  "separated by commas, as before path_separator": {
    files: {
      "one/a.py": revision("a"),
      "two/b.py": revision("b", '"a"'),
      "migrations/env.py": "",
      "alembic.ini": "[alembic]\nscript_location: migrations\nversion_locations = one, two\n",
    },
  },
  "an unknown separator": {
    files: configured(
      "[alembic]\nscript_location: migrations\nversion_locations = one two\nversion_path_separator = comma\n",
    ),
    refused: "ValueError",
    told: ['version_path_separator in alembic.ini is "comma"'],
  },
  "another section": {
    files: {
      ...configured(
        "[DEFAULT]\nbase = %(here)s\n[alembic]\nscript_location = %(base)s/migrations\n[tenant]\nscript_location = %(base)s/tenant\n",
      ),
      "tenant/versions/t.py": revision("t"),
    },
    section: "tenant",
  },
  "comments, upper case, a percent sign in a value that is not read": {
    files: configured(
      "; c\n[DEFAULT]\nbase = %(here)s\n\n[alembic] junk\nScript_Location = %(BASE)s/migrations\n  # comment\n\nsqlalchemy.url = a%b%%\n",
    ),
  },
  "CRLF in the ini file": { files: configured(usual.replaceAll("\n", "\r\n")) },
  "a key without value": {
    files: configured("[alembic]\nscript_location = migrations\nfoo\n"),
    refused: "ParsingError",
    told: ['Neither a section nor "key = value": foo'],
  },
  "no section": {
    files: configured("script_location = x\n"),
    refused: "MissingSectionHeaderError",
    told: ["before the first section"],
  },
  "a byte order mark in the ini file": {
    files: configured(`\uFEFF${usual}`),
    refused: "MissingSectionHeaderError",
    told: ["The file begins with a byte order mark."],
  },
  "no section [alembic]": {
    files: configured("[x]\na = 1\n"),
    refused: "CommandError",
    told: ["has no section [alembic]", "Its sections: x."],
  },
  "no script_location": {
    files: configured("[alembic]\na = 1\n"),
    refused: "CommandError",
    told: ["has no script_location"],
  },
  "no such folder": {
    files: configured("[alembic]\nscript_location = gone\n"),
    refused: "CommandError",
    told: ['script_location is "gone"', "alembic.ini:2"],
  },
  "a key twice": {
    files: configured("[alembic]\nscript_location = migrations\nscript_location = b\n"),
    refused: "DuplicateOptionError",
    told: ["alembic.ini:3", 'The key "script_location" is there twice'],
  },
  "a section twice": {
    files: configured(`${usual}[alembic]\n`),
    refused: "DuplicateSectionError",
    told: ["alembic.ini:4"],
  },
  "an unknown %(name)s": {
    files: configured("[alembic]\nscript_location = %(nope)s/x\n"),
    refused: "InterpolationMissingOptionError",
    told: ["refers to %(nope)s, which is not set"],
  },
  "a lone percent sign": {
    files: configured("[alembic]\nscript_location = mig%rations\n"),
    refused: "InterpolationSyntaxError",
    told: ['must be written "%%"'],
  },
  "a value that refers to itself": {
    files: configured("[alembic]\nscript_location = %(script_location)s\n"),
    refused: "InterpolationDepthError",
    told: ['The value of "script_location" refers to itself.'],
  },
  "pyproject.toml": {
    files: {
      "migrations/versions/a.py": revision("a"),
      "x/b.py": revision("b", '"a"'),
      "pyproject.toml":
        '[tool.alembic]\nscript_location = "migrations"\nversion_locations = ["%(here)s/migrations/versions", "x"]\nrecursive_version_locations = true\n',
    },
  },
  "pyproject.toml beside an ini file without a section for Alembic": {
    files: {
      ...configured("[loggers]\nkeys = x\n"),
      "pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/migrations"\n',
    },
  },
  "pyproject.toml that does not parse": {
    files: {
      "migrations/versions/a.py": revision("a"),
      "pyproject.toml": "[tool.alembic]\nscript_location = \n",
    },
    refused: "TOMLDecodeError",
    told: ["pyproject.toml:2:"],
  },
  "a package's folder": {
    files: {
      "src/package/__init__.py": "",
      "src/package/sub/__init__.py": "",
      "src/package/sub/scripts/versions/a.py": revision("a"),
      "alembic.ini":
        "[alembic]\nscript_location = package.sub:scripts\nprepend_sys_path = src\npath_separator=os\n",
    },
  },
  "a configuration elsewhere": {
    files: {
      "migrations/versions/a.py": revision("a"),
      "conf/db.ini": "[alembic]\nscript_location=migrations\n",
    },
    config: "conf/db.ini",
  },
  "no revision": { files: versions({ ".keep": "" }) },
  "links to files are read once": {
    files: {
      ...versions({ "a.py": revision("a"), "b.py": { link: "a.py" }, "c.py": { link: "../d.txt" } }),
      "migrations/d.txt": revision("d"),
    },
  },
};
