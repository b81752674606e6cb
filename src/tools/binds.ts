import { UserError } from "../errors";
import { near } from "../nearest";
import { bindLabel } from "../settings/binds";
import type { BindWish, ToolProject, Unprovable } from "./contract";

/** The project with the database that is judged. A UserError where the settings name one that it does not have. */
export function chooseBind(project: ToolProject, wish: BindWish): ToolProject {
  const { binds } = project;
  if (binds === undefined) {
    if (wish.chosen === undefined || wish.chosen === "") return project;
    throw new UserError({
      what: `The setting bind names "${wish.chosen}", and the project migrates one database.`,
      where: project.config,
      do: "Leave bind out, or give the newest revision a function of that database (upgrade_…), as the template for several does.",
    });
  }
  if (wish.chosen !== undefined) requireBind("bind", wish.chosen, binds, project);
  // A line too many may be for a database that only the base still has; with one missing it is misspelt.
  const isMissing = binds.some((name) => !wish.variables.has(name));
  for (const name of isMissing ? wish.variables.keys() : []) {
    if (name !== "") requireBind("bind-url-env", name, binds, project);
  }
  return withBind(project, wish);
}

/** The same of another checkout, which need not have that database: then it has no `bind`. */
export function withBind(project: ToolProject, wish: BindWish): ToolProject {
  const { binds } = project;
  if (binds === undefined) return project;
  const name = wish.chosen ?? (binds.includes("") ? "" : undefined);
  if (name === undefined) return { ...project, unprovable: notChosen(binds), bindWish: wish };
  if (!binds.includes(name)) return { ...project, bindWish: wish };
  const missing = binds.filter((each) => !wish.variables.has(each));
  const unprovable = missing.length === 0 ? {} : { unprovable: noVariable(binds, missing) };
  // Where the settings say nothing yet, the text of each one's functions is judged.
  if (wish.chosen === undefined && missing.length > 0) return { ...project, bindWish: wish, ...unprovable };
  const others = binds.flatMap((each) => {
    const variable = wish.variables.get(each);
    return each === name || variable === undefined ? [] : [{ name: each, variable }];
  });
  return {
    ...project,
    bind: { name, others },
    bindWish: wish,
    ...unprovable,
  };
}

function requireBind(setting: string, name: string, binds: readonly string[], project: ToolProject): void {
  if (binds.includes(name)) return;
  const labels = binds.map(bindLabel);
  const best = near(name, labels);
  throw new UserError({
    what: `The setting ${setting} names "${bindLabel(name)}", which is no database of this project.`,
    where: project.config,
    seen: `The newest revision has functions for ${labels.join(", ")}.`,
    do: `${best === undefined ? "" : `Did you mean ${best}? `}Set ${setting} to the name as upgrade_<name>() has it.`,
  });
}

function severalOf(binds: readonly string[]): string {
  const labels = binds.map((name) => (name === "" ? "the default one" : `"${name}"`));
  return `The project migrates ${binds.length} databases at once: ${labels.slice(0, -1).join(", ")} and ${labels.at(-1)}`;
}

function notChosen(binds: readonly string[]): Unprovable {
  return {
    what: `${severalOf(binds)}. Nothing says which one to judge.`,
    reason: "nothing says which of several databases is judged",
    do: `Set bind to one of them (a matrix judges all: bind: [${binds.join(", ")}]), and bind-url-env to the variable of each: ${binds.map(line).join(", ")}`,
  };
}

/** Whatever the project takes for an address that was not given may be a real database. */
function noVariable(binds: readonly string[], missing: readonly string[]): Unprovable {
  const labels = missing.map((name) => `"${bindLabel(name)}"`).join(" and ");
  return {
    what: `${severalOf(binds)}. Nothing says which variable has the address of ${labels}.`,
    reason: `nothing says which variable has the address of ${labels}`,
    do: `Set bind-url-env to the variables that the project reads, one line a database: ${missing.map(line).join(", ")}`,
  };
}

function line(name: string): string {
  return `${name}=${name.toUpperCase()}_DATABASE_URL`;
}
