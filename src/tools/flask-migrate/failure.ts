import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { explainFailure as explainAlembic } from "../alembic/failure/explain";
import { lastTraceback } from "../alembic/python/traceback";
import type { ToolFailure, ToolOutput, ToolProject } from "../contract";
import { findsAppIn } from "./detect";
import { runWords, typedWords } from "./run";

/** Flask-Migrate prints an error of Alembic's, and any RuntimeError, as one line and without its traceback. */
const flaskMigrateError = /^(?:ERROR\s+\[flask_migrate\]\s+|ERROR:flask_migrate:)?Error: /;

interface Cause {
  readonly summary: string;
  readonly do: string;
}

/**
 * Tells what made `flask db` fail: the app that Flask does not find or cannot load, a missing part, else what made Alembic
 * fail inside of it.
 */
export function explainFailure(output: ToolOutput, project?: ToolProject): ToolFailure {
  const lines = stripVTControlCharacters(output.text).split(/\r\n|\r|\n/);
  const inAlembicsWords = lines.map((line) => line.replace(flaskMigrateError, "FAILED: ")).join("\n");
  const alembics = inFlasksWords(explainAlembic({ ...output, text: inAlembicsWords }, project));
  const lastLines = alembics.lastLines.map((line) => line.replace(/^FAILED: /, "Error: "));
  const cause = startCause(output, lines, project) ?? appCause(lines, project) ?? misfit(lines, project);
  if (cause !== undefined)
    return { ...alembics, ...cause, kind: "environment", file: undefined, line: undefined, lastLines };
  const stopped = revisionStopped(lines);
  return { ...alembics, ...(stopped ?? mergeCause(lines, project)), lastLines };
}

function startCause(
  { exitCode }: ToolOutput,
  lines: readonly string[],
  project: ToolProject | undefined,
): Cause | undefined {
  const text = lines.join("\n");
  const notFound =
    /command not found|No module named flask$|Failed to spawn: `flask`|Command not found: flask/m;
  if (exitCode !== undefined && exitCode !== 127 && exitCode !== 126 && !notFound.test(text))
    return undefined;
  const words = project === undefined ? ["flask", "db"] : runWords(project);
  return {
    summary:
      exitCode === 126 || /permission denied/i.test(text)
        ? "Flask may not be started: permission denied."
        : "Flask is not installed, or not on PATH.",
    do: `Install the project's Python packages before this step, or set run to what starts Flask-Migrate (now: ${words.join(" ")}).`,
  };
}

/** Flask's own messages (cli.py, 2.0 to 3.1); an app that fails with another exception has its traceback. */
const appErrors: readonly {
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray, project: ToolProject | undefined) => Cause;
}[] = [
  {
    pattern: /^Error: Could not locate a Flask application\./m,
    cause: (_, project) => ({
      summary:
        "Flask found no app: neither FLASK_APP nor --app names one, and there is no wsgi.py or app.py.",
      do: nameTheApp(project),
    }),
  },
  {
    pattern: /^Error: Could not import '(.*)'\.$/m,
    cause: ([, name], project) => ({
      summary: `Flask cannot import "${name}", which FLASK_APP or --app names as the app.`,
      do: `Set working-directory to the folder from which ${typed(project)} works. ${nameTheApp(project)}`,
    }),
  },
  {
    pattern: /^Error: (Failed to find Flask application or factory in module '(.+?)')/m,
    cause: ([, , name], project) => ({
      summary: `The module "${name}" has neither a Flask app nor a factory (create_app, make_app).`,
      do: nameTheApp(project),
    }),
  },
  {
    pattern: /^Error: Detected factory '(.+)' in module '(.+?)', but could not call it without arguments/m,
    cause: ([, factory, name]) => ({
      summary: `The factory ${factory} of "${name}" wants arguments.`,
      do: `Name them: env: FLASK_APP=${name}:${factory}("testing")`,
    }),
  },
  {
    pattern:
      /^Error: (Detected multiple Flask applications .+|Failed to parse .+|Failed to find attribute .+|Function reference must be .+|The factory .+ could not be called .+|A valid Flask application was not obtained .+)$/m,
    cause: ([, message = ""], project) => ({
      summary: `Flask found no app: ${message.replace(/\.?$/, ".")}`,
      do: nameTheApp(project),
    }),
  },
  {
    pattern: /^Error: No such command '(\w+)'\./m,
    cause: ([, command], project) => ({
      summary: `The app has no command "${command}": Flask-Migrate is not installed, or not set up when flask loads the app.`,
      do: `Install Flask-Migrate, and let the app or its factory call Migrate(app, db) without a condition. Where it has another name (Migrate with command), set run: flask <name> (now: ${typed(project)}).`,
    }),
  },
];

function appCause(lines: readonly string[], project: ToolProject | undefined): Cause | undefined {
  const text = lines.join("\n");
  if (text.includes("Traceback (most recent call last):")) return undefined;
  for (const { pattern, cause } of appErrors) {
    const match = pattern.exec(text);
    if (match !== null) return cause(match, project);
  }
  return undefined;
}

/** An old Flask-Migrate calls Alembic as that was then: 2.5 and Alembic 1.14 have no `current` together. */
function misfit(lines: readonly string[], project: ToolProject | undefined): Cause | undefined {
  const { frames = [], type, message = "" } = lastTraceback(lines) ?? {};
  const [, command, argument] = /^(\w+)\(\) got an unexpected keyword argument '(\w+)'/.exec(message) ?? [];
  const isItsOwn = /[/\\]flask_migrate[/\\]\w+\.py$/.test(frames.at(-1)?.file ?? "");
  if (type !== "TypeError" || command === undefined || !isItsOwn) return undefined;
  return {
    summary: `Flask-Migrate gives Alembic's ${command} the argument ${argument}, which it does not take: the installed versions do not fit together.`,
    do: `Install a Flask-Migrate that fits this Alembic (2.6 or later; pip install --upgrade Flask-Migrate), so that ${typed(project)} ${command} works.`,
  };
}

/** Alembic's own errors come before a revision runs: what comes after is the revision's. */
function revisionStopped(lines: readonly string[]): Partial<ToolFailure> | undefined {
  if (lines.some((line) => line.startsWith("Traceback (most recent call last):"))) return undefined;
  const running = lines.findLastIndex((line) => /Running (?:upgrade|downgrade) /.test(line));
  const error = lines.slice(running + 1).find((line) => flaskMigrateError.test(line));
  const [, direction, from, to] = /Running (\w+) (\S*) -> (\S*?)(?:,|$)/.exec(lines[running] ?? "") ?? [];
  if (running < 0 || error === undefined || direction === undefined) return undefined;
  const revision = direction === "downgrade" ? from : to;
  const message = error.replace(flaskMigrateError, "").trim();
  return {
    kind: "migration",
    summary: `The ${direction} of revision ${revision} raised: ${/[.!?]$/.test(message) ? message : `${message}.`}`,
    do:
      direction === "downgrade"
        ? "Write the downgrade, or set floor to this revision: downgrades are then asked for down to here."
        : "Mend the revision. Flask-Migrate prints a RuntimeError without its traceback: search the revision for the text.",
    file: undefined,
    line: undefined,
  };
}

function mergeCause(lines: readonly string[], project: ToolProject | undefined): Partial<ToolFailure> {
  if (!lines.some((line) => /Error: Multiple head revisions are present/.test(line))) return {};
  return {
    summary: "The project has more than one head revision.",
    do: `Join the heads with "${typed(project)} merge heads", or give one the other as its down_revision.`,
  };
}

/** What Alembic's advice calls by names that a Flask project has not. */
function inFlasksWords(failure: ToolFailure): ToolFailure {
  const words: readonly (readonly [RegExp, string])[] = [
    [
      /the variable that env\.py reads \(database-url-env\)/g,
      "database-url-env to the variable from which the app takes SQLALCHEMY_DATABASE_URI",
    ],
    [/or set the variable that env\.py reads \(env\)/g, "or set the variable that the app reads (env)"],
    [
      /let Python find the project's own: prepend_sys_path = \. .*$/g,
      "set working-directory to the folder from which flask db works.",
    ],
    [
      /^Set database-url-format to one it knows, such as .*$/,
      "Let the app replace postgres:// (Heroku's form) by postgresql:// and its driver, and set database-url-format to the form that it expects.",
    ],
    [/where Alembic runs/g, "where Flask-Migrate runs"],
  ];
  const told = words.reduce((text, [pattern, word]) => text.replace(pattern, word), failure.do);
  return {
    ...failure,
    do: told,
    summary: failure.summary.replace(/^Alembic stopped: /, "Flask-Migrate stopped: "),
  };
}

function typed(project: ToolProject | undefined): string {
  return project === undefined ? "flask db" : typedWords(project).join(" ");
}

/** With the modules of the project that make an app. */
function nameTheApp(project: ToolProject | undefined): string {
  const found = project === undefined || findsAppIn(project.root) ? [] : appsIn(project.root);
  const [name = "<module>"] = found;
  const more = found.length > 1 ? ` (an app is also made in ${found.slice(1, 4).join(", ")})` : "";
  return `Name the app: env: FLASK_APP=${name}, or run: flask --app ${name} db${more}; or put FLASK_APP=${name} into .flaskenv.`;
}

const makesApp = /\bFlask\(__name__|^def (?:create|make)_app\b/m;

/** Modules and packages of a folder, or of its src, in which a Flask app is made, as FLASK_APP names them. */
function appsIn(root: string): string[] {
  return ["", "src"].flatMap((folder) => {
    const place = path.join(root, folder);
    return namesIn(place).flatMap((name) => {
      const module = /^([A-Za-z_]\w*)\.py$/.exec(name)?.[1];
      const file = module === undefined ? path.join(name, "__init__.py") : name;
      if (!/^[A-Za-z_][\w]*(?:\.py)?$/.test(name) || !makesApp.test(textOf(path.join(place, file))))
        return [];
      return [folder === "" ? (module ?? name) : `${folder}/${name}`];
    });
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
