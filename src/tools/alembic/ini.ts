/** A value of an ini file as it stands there, and the line of its key. */
export interface IniValue {
  readonly raw: string;
  readonly line: number;
}

/** Sections by name, keys in lower case; the section DEFAULT is apart, as its keys belong to every section. */
export interface IniFile {
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, IniValue>>;
  readonly defaults: ReadonlyMap<string, IniValue>;
}

/** The file breaks the format: Python's configparser refuses it at this line. */
export class IniError extends Error {
  override readonly name = "IniError";

  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

interface Section {
  readonly name: string;
  readonly lines: Map<string, { line: number; parts: string[] }>;
}

const defaultSection = "DEFAULT";

/**
 * Reads an ini file as Python's ConfigParser with its defaults does (3.8 to 3.14): `=` and `:`, `#` and `;` comments on
 * lines of their own, indented continuation lines, empty lines within values, no duplicates.
 */
export function parseIni(text: string): IniFile {
  const sections = new Map<string, Section>();
  const defaults: Section = { name: defaultSection, lines: new Map() };
  let section: Section | undefined;
  let option: string | undefined;
  let indent = 0;
  let firstBroken: IniError | undefined;

  // Python reads the mark as a part of the first line; trim() would hide it.
  if (text.startsWith("\uFEFF")) throw new IniError("The file begins with a byte order mark.", 1);
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const number = index + 1;
    const content = line.trim();
    const comment = content.startsWith("#") || content.startsWith(";");
    const open = option === undefined ? undefined : section?.lines.get(option);
    if (content === "" || comment) {
      if (!comment) open?.parts.push("");
      continue;
    }
    const lineIndent = line.length - line.trimStart().length;
    if (open !== undefined && lineIndent > indent) {
      open.parts.push(content);
      continue;
    }
    indent = lineIndent;
    const header = /^\[(.+)\]/.exec(content)?.[1];
    if (header !== undefined) {
      if (sections.has(header)) throw new IniError(`The section [${header}] is there twice.`, number);
      section = header === defaultSection ? defaults : { name: header, lines: new Map() };
      if (section !== defaults) sections.set(header, section);
      option = undefined;
      continue;
    }
    if (section === undefined)
      throw new IniError(`A line stands before the first section: ${content}`, number);
    const match = /^(.*?)\s*[=:]\s*(.*)$/s.exec(content);
    const key = match?.[1]?.toLowerCase() ?? "";
    if (match === null || key === "") {
      firstBroken ??= new IniError(`Neither a section nor "key = value": ${content}`, number);
      continue;
    }
    if (section.lines.has(key))
      throw new IniError(`The key "${key}" is there twice in [${section.name}].`, number);
    section.lines.set(key, { line: number, parts: [match[2] ?? ""] });
    option = key;
  }
  if (firstBroken !== undefined) throw firstBroken;
  return {
    sections: new Map([...sections].map(([name, { lines }]) => [name, joined(lines)])),
    defaults: joined(defaults.lines),
  };
}

function joined(lines: Section["lines"]): Map<string, IniValue> {
  return new Map(
    [...lines].map(([key, { line, parts }]) => [key, { line, raw: parts.join("\n").trimEnd() }] as const),
  );
}

/**
 * One value with `%(name)s` put in, as ConfigParser's BasicInterpolation does; undefined where the key is not there.
 * `extra` are defaults that come from outside the file (Alembic gives `here`).
 */
export function iniValue(
  ini: IniFile,
  section: string,
  key: string,
  extra: Readonly<Record<string, string>>,
): string | undefined {
  const find = (name: string): IniValue | undefined => {
    const own = ini.sections.get(section)?.get(name) ?? ini.defaults.get(name);
    const given = extra[name];
    return own ?? (given === undefined ? undefined : { raw: given, line: 0 });
  };
  const value = find(key.toLowerCase());
  return value === undefined ? undefined : interpolate(value.raw, value.line, 1);

  function interpolate(raw: string, line: number, depth: number): string {
    if (depth > 10) throw new IniError(`The value of "${key}" refers to itself.`, line);
    return raw.replace(/%(%|\(([^)]+)\)s|)/g, (_, after: string, name: string | undefined) => {
      if (after === "%") return "%";
      if (name === undefined)
        throw new IniError(`A "%" in the value of "${key}" must be written "%%".`, line);
      const other = find(name.toLowerCase());
      if (other === undefined)
        throw new IniError(`The value of "${key}" refers to %(${name})s, which is not set.`, line);
      return other.raw.includes("%") ? interpolate(other.raw, line, depth + 1) : other.raw;
    });
  }
}
