import { ToolError } from "../errors";
import { runsElsewhere } from "../executors/elsewhere";
import type { CommandResult } from "../executors/local";
import { bindLabel } from "../settings/binds";
import type { Bind, MigrationTool, ToolProject } from "../tools/contract";

/** What was started, and where its address was given. */
interface ToolStart {
  readonly tool: MigrationTool;
  readonly project: ToolProject;
  readonly run: readonly string[];
  readonly address: { readonly databaseUrlEnv: string };
  readonly toolTimeoutMs: number;
}

/** Where the command was to come; `bind` is not the judged one. */
interface Awaited {
  readonly port: number;
  readonly bind?: Bind;
}

/** What the recorder saw of the command. */
export interface Arrival {
  readonly connections: number;
  readonly failures: readonly string[];
  /** The version table was looked for here. */
  readonly asked: boolean;
}

const takesAddressElsewhere =
  "The project may take its address from elsewhere (a literal URL, a .env file that overrides); a downgrade would then empty a real database.";

/** Why the tool's status command was not seen on the shadow database, and what to set. */
export function notArrived(
  context: ToolStart,
  result: CommandResult,
  { connections, failures, asked }: Arrival,
  { port, bind }: Awaited,
): ToolError {
  const { tool, project } = context;
  const variable = bind?.variable ?? context.address.databaseUrlEnv;
  const shadow =
    bind === undefined ? "the shadow database" : `the shadow of the database "${bindLabel(bind.name)}"`;
  const setting = bind === undefined || bind.name === "" ? "database-url-env" : "bind-url-env";
  const command = [...context.run, ...tool.commands(project).current].join(" ");
  // Its own process would have these from ours; a container has what it is given.
  const passOn = runsElsewhere(context.run)
    ? [
        `Let ${context.run[0]} pass ${variable} on, and its work reach 127.0.0.1 of this machine, for instance docker run --rm --network host -e ${variable} <image>.`,
      ]
    : [];
  if (result.timedOut) {
    return new ToolError({
      what: `"${command}" did not end within ${Math.round(context.toolTimeoutMs / 1000)} s.`,
      where: project.config,
      seen: lastLines(result.output) || "It printed nothing.",
      do: "Run it in a terminal to see what it waits for, or raise tool-timeout.",
    });
  }
  const explained =
    result.exitCode === 0
      ? undefined
      : tool.explainFailure({ text: result.output, exitCode: result.exitCode }, project);
  const isFailure = explained !== undefined || result.exitCode !== 0;
  if (
    isFailure &&
    (connections > 0 || (explained?.kind === "environment" && !looksLikeAddress(result.output)))
  ) {
    return new ToolError({
      what: explained?.summary ?? `"${command}" ended with ${result.exitCode ?? result.signal}.`,
      where: [explained?.file ?? project.config, explained?.line]
        .filter((part) => part !== undefined)
        .join(":"),
      seen: [...failures.slice(0, 1), ...(explained?.lastLines ?? [])].join("\n"),
      do: [explained?.do ?? "Run it in a terminal to see why.", ...(connections > 0 ? [] : passOn)].join(" "),
    });
  }
  if (connections > 0 && !asked) {
    return new ToolError({
      what: `"${command}" connected to ${shadow} and did not look for its version table there, so nothing was upgraded or downgraded.`,
      where: project.config,
      seen: `The address was given in ${variable} (127.0.0.1:${port}); no question for the version table came there.`,
      why: takesAddressElsewhere,
      do:
        project.words?.status === undefined
          ? `Let ${tool.addressReader} take the address in ${variable}, or set ${setting} or env to the variables from which it takes the address.`
          : `Let run-status be a command that reads ${tool.versionTable.name}; and let it take the address in ${variable}, or set ${setting} or env to the variables from which it takes it.`,
    });
  }
  return new ToolError({
    what: `"${command}" did not connect to ${shadow}, so nothing was upgraded or downgraded.`,
    where: project.config,
    seen: `The address was given in ${variable} (127.0.0.1:${port}); no connection came.${
      explained === undefined ? "" : `\n${explained.lastLines.join("\n")}`
    }`,
    why: takesAddressElsewhere,
    do:
      passOn[0] ??
      `Set ${setting} to the variable that ${tool.addressReader} reads, or env to the variables that it joins; let the variable win over .env files (load_dotenv without override=True) and over sqlalchemy.url.`,
  });
}

/** The tool tried to connect somewhere: the cause is the address, not a missing part. */
function looksLikeAddress(output: string): boolean {
  return /connection (?:refused|to server)|could not (?:connect|translate)|connect call failed|network is unreachable|name or service not known|name resolution|getaddrinfo|no such file or directory\W.*\.s\.PGSQL/i.test(
    output,
  );
}

/** The end of what it printed. */
export function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-15).join("\n");
}
