import { UserError } from "../errors";
import { runsElsewhere } from "../executors/elsewhere";
import type { ForkServer } from "../executors/fork-server";
import { createIsolation, type Isolation, openReach } from "../executors/isolation";
import { beginForkServer } from "../lanes/fork-server";
import type { LaneContext } from "../lanes/stage";
import type { Settings } from "../settings";

/** What every start of the tool on a shadow needs. */
export interface ToolStarts extends AsyncDisposable {
  readonly isolation: Isolation;
  readonly forkServer: ForkServer | undefined;
}

/** As the settings isolation and fork-server say. */
export async function prepareStarts(
  settings: Settings,
  context: Pick<LaneContext, "tool" | "project" | "run" | "environment" | "address">,
): Promise<ToolStarts> {
  const isolation = await isolate(settings, context.run);
  let forkServer: ForkServer | undefined;
  try {
    const forks = settings["fork-server"];
    if (forks !== "off") forkServer = await beginForkServer({ ...context, isolation }, forks === "any");
  } catch (error) {
    await isolation[Symbol.asyncDispose]();
    throw error;
  }
  return {
    isolation,
    forkServer,
    [Symbol.asyncDispose]: async () => {
      await forkServer?.[Symbol.asyncDispose]();
      await isolation[Symbol.asyncDispose]();
    },
  };
}

async function isolate(settings: Settings, run: readonly string[]): Promise<Isolation> {
  if (settings.isolation === "off") return openReach("the setting isolation is off");
  if (runsElsewhere(run)) {
    if (settings.isolation === "auto") return openReach(`${run[0]} does its work in another network`);
    throw new UserError({
      what: `isolation is required, and ${run[0]} does its work in another network than this one.`,
      where: `run: ${run.join(" ")}`,
      do: "Set isolation to auto, and see by the program's own network that it reaches nothing but the shadow; or set run to a program of this machine.",
    });
  }
  const isolation = await createIsolation();
  if (isolation.kind === "none" && settings.isolation === "required") {
    throw new UserError({
      what: "The tool cannot be kept in a network namespace here, and isolation is required.",
      seen: isolation.reason,
      do: "Allow unprivileged user namespaces on this machine, run the check as root, or set isolation to auto.",
    });
  }
  return isolation;
}
