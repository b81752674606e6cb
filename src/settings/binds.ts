import { UserError } from "../errors";
import { suggestion } from "../nearest";
import type { Settings } from "./index";

/** What the settings say of a project with several databases. */
export type BindSettings = Pick<Settings, "bind" | "bind-url-env" | "database-url-env">;

/** What the setting `bind` and reports call the database that has no name: Flask's default one. */
const defaultBind = "default";

/** Of a database of a project with several, for reports. */
export function bindLabel(name: string): string {
  return name === "" ? defaultBind : name;
}

/** The database that `bind` names, "" for the default one; undefined without that setting. */
export function chosenBind(settings: BindSettings): string | undefined {
  const { bind } = settings;
  return bind === defaultBind && !bindVariables(settings).has(defaultBind) ? "" : bind;
}

/** The variable of each database's address by the database's name; that of the default one is database-url-env. */
export function bindVariables(settings: BindSettings): ReadonlyMap<string, string> {
  const variables = new Map([["", settings["database-url-env"]]]);
  for (const [index, text] of settings["bind-url-env"].entries()) {
    const [, name = "", variable = ""] =
      /^\s*([\p{L}\p{N}_]*)\s*=\s*([A-Za-z_][A-Za-z0-9_]*)\s*$/u.exec(text) ?? [];
    // What stands there instead of a name may be an address with its password.
    if (name === "") {
      throw malformed(
        `Line ${index + 1} of the setting bind-url-env is not NAME=VARIABLE.`,
        "Write one database a line, with the name of the variable that has its address, for example users=USERS_DATABASE_URL.",
      );
    }
    const other = [...variables].find(([, known]) => known === variable);
    if (other !== undefined && other[0] !== name) {
      throw malformed(
        `The databases "${bindLabel(other[0])}" and "${name}" have the same variable, ${variable}.`,
        "Give each database a variable of its own; that of the default one is database-url-env.",
      );
    }
    if (variables.has(name)) {
      throw malformed(`The setting bind-url-env names "${name}" twice.`, "Keep one of the lines.");
    }
    variables.set(name, variable);
  }
  return variables;
}

/** The variable of the database that is judged, read or written. A UserError where bind-url-env does not name it. */
export function databaseVariable(settings: BindSettings): string {
  const name = chosenBind(settings) ?? "";
  const variable = bindVariables(settings).get(name);
  if (variable !== undefined) return variable;
  throw malformed(
    `Nothing says which variable has the address of the database "${name}", which bind names.`,
    `${suggestion(
      name,
      [...bindVariables(settings).keys()].filter((known) => known !== ""),
    )}Add to bind-url-env: ${name}=<the variable that the project reads>`,
  );
}

function malformed(what: string, advice: string): UserError {
  return new UserError({ what, do: advice });
}
