import { UserError } from "../errors";
import type { Graph } from "../revisions/graph";
import type { MigrationTool, OwnWords, ToolCommands, ToolProject } from "./contract";
import { shellWords } from "./shell-words";

/** The settings that say how a program is started which is not the tool's own. */
export interface WordSettings {
  readonly run?: string | undefined;
  readonly "run-apply"?: string | undefined;
  readonly "run-status"?: string | undefined;
}

/** What the settings say; a UserError where they are no command together. */
export function ownWords(settings: WordSettings): OwnWords | undefined {
  const apply = wordsOf("run-apply", settings);
  const status = wordsOf("run-status", settings);
  if (apply === undefined && status === undefined) return undefined;
  if (apply !== undefined && status === undefined) {
    throw new UserError({
      what: `run-apply is "${settings["run-apply"]}", and run-status is not set.`,
      why: "Before a program may change a database, it must be seen to come there by a command that changes nothing.",
      do: "Set run-status to its harmless command, for instance run-status: migrate-info.",
    });
  }
  return { apply, status };
}

function wordsOf(name: "run-apply" | "run-status", settings: WordSettings): readonly string[] | undefined {
  const text = settings[name];
  if (text === undefined) return undefined;
  const words = shellWords(text);
  const example = `for instance run: everruns-admin with ${name}: ${name === "run-apply" ? "migrate" : "migrate-info"}`;
  if (words.length === 0) {
    throw new UserError({
      what: `The setting "${name}" is empty.`,
      do: `Set it to the words that follow those of run (${example}), or leave it out.`,
    });
  }
  if (settings.run === undefined) {
    throw new UserError({
      what: `${name} is "${text}", and nothing says which program takes it.`,
      do: `Set run to the program, ${example}.`,
    });
  }
  return words;
}

/** The tool's arguments, or what a program of the project's own takes instead. */
export function withOwnWords({ words }: Pick<ToolProject, "words">, commands: ToolCommands): ToolCommands {
  const { apply, status } = words ?? {};
  return {
    ...commands,
    ...(status === undefined ? {} : { current: status }),
    ...(apply === undefined ? {} : { upgrade: (target) => (/^heads?$/.test(target) ? apply : undefined) }),
  };
}

/** Arguments for the way up to a revision or the tool's word; undefined where the program goes to the newest one only. */
export function upgradeWords(
  {
    tool,
    project,
    graph,
  }: { readonly tool: MigrationTool; readonly project: ToolProject; readonly graph: Graph },
  target: string,
): readonly string[] | undefined {
  const commands = tool.commands(project);
  return commands.upgrade(target) ?? (graph.heads.join() === target ? commands.upgrade("head") : undefined);
}
