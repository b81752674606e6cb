import path from "node:path";

/** Programs whose work is done by a process that is no child of theirs, in a network of its own. */
export function runsElsewhere([program = ""]: readonly string[]): boolean {
  return /^(?:docker|docker-compose|podman|nerdctl|kubectl|oc|fly|flyctl|railway|gcloud|aws|ssh|heroku)$/.test(
    path.basename(program),
  );
}
