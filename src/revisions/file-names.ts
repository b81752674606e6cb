import path from "node:path";
import type { Revision } from "../model/revision";

type Named = Pick<Revision, "id" | "location" | "sql">;

/** With fewer of them it is no custom. */
const fewest = 3;

/** What the names of landed revisions have in common. */
export interface NameForm {
  /** As it is shown: `<id>_<slug>`, `####_##_##_<id>_<slug>`, `versions of 3 digits`. */
  readonly shown: string;
  fits(revision: Named): boolean;
}

/**
 * The form of a project's names: the template that is set, where the landed ones follow it, else what all of them show.
 * Undefined where they are mixed, or too few to tell.
 */
export function nameForm(landed: readonly Named[], template: string | undefined): NameForm | undefined {
  if (landed.length === 0) return undefined;
  if (template !== undefined) {
    const fits = (revision: Named) => patternOf(template, revision.id)?.test(stemOf(revision)) === true;
    return landed.every(fits) ? { shown: template, fits } : undefined;
  }
  if (landed.length < fewest) return undefined;
  return landed.every(({ sql }) => sql !== undefined) ? versionForm(landed) : commonForm(landed);
}

function commonForm(landed: readonly Named[]): NameForm | undefined {
  const [shown = "", ...others] = new Set(landed.map(shapeOf));
  return others.length > 0 ? undefined : { shown, fits: (revision) => shapeOf(revision) === shown };
}

/** Places of digits in what stands before the slug, and where the id is. */
function shapeOf(revision: Named): string {
  const stem = stemOf(revision);
  const { id } = revision;
  const at = stem.search(new RegExp(`(?<![^_-])${literal(id)}(?![^_-])`));
  const before = at < 0 ? (/^\d+(?:[-_]\d+)*(?=[-_])/.exec(stem)?.[0] ?? "") : stem.slice(0, at);
  const rest = stem.slice(at < 0 ? before.length : at + id.length);
  const [, separator = "", slug = ""] = /^([-_]?)(.*)$/s.exec(rest) ?? [];
  const shownId = at < 0 ? "" : "<id>";
  const isPlain = /^(?:\d+[-_]*)*$/.test(before);
  const shownBefore = isPlain ? before.replace(/\d/g, "#") : "<slug>_";
  return `${shownBefore}${shownId}${separator}${slug === "" && separator === "" ? "" : "<slug>"}`;
}

/** Of versions in order: 14 digits are a time; others have one width, or are written without zeros before them. */
function versionForm(landed: readonly Named[]): NameForm | undefined {
  const written = landed.map(writtenVersion);
  const widths = new Set(written.map((digits) => digits.length));
  const [width = 0] = widths;
  const isPlain = (digits: string) => !digits.startsWith("0") && digits.length < timeDigits - 2;
  if (written.every(isPlain))
    return { shown: "versions that count", fits: (revision) => isPlain(writtenVersion(revision)) };
  if (widths.size > 1) return undefined;
  return {
    shown: `versions of ${width} digits`,
    fits: (revision) => {
      const digits = writtenVersion(revision);
      // After 999 comes 1000.
      const isNext = digits.length === width + 1 && digits.length < timeDigits - 1;
      return digits.length === width || (isNext && !digits.startsWith("0"));
    },
  };
}

/** YYYYMMDDhhmmss. */
const timeDigits = 14;

/** The version as the file's name has it. */
function writtenVersion(revision: Named): string {
  return /^\+?(\d+)/.exec(stemOf(revision))?.[1] ?? revision.id;
}

/** What Alembic puts into file_template (script/base.py, `_rev_path`, 1.20.1), as `%(name)s` or with a width, e.g. `%(month).2d`. */
function patternOf(template: string, id: string): RegExp | undefined {
  let isKnown = !template.includes("/");
  const source = template.split(/(%\(\w+\)(?:\.?\d+)?[sd]|%%)/).map((part, index) => {
    if (index % 2 === 0) return literal(part);
    if (part === "%%") return "%";
    const [, name = "", width] = /^%\((\w+)\)\.?(\d+)?/.exec(part) ?? [];
    if (name === "rev") return literal(id);
    if (name === "slug") return "[^/]*";
    if (/^(?:year|month|day|hour|minute|second|epoch)$/.test(name))
      return width === undefined ? "\\d+" : `\\d{${Number(width)},}`;
    isKnown = false;
    return "";
  });
  return isKnown ? new RegExp(`^${source.join("")}$`, "s") : undefined;
}

function stemOf({ location }: Named): string {
  return path.posix.basename(location.file).replace(/\.[^.]+$/, "");
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
