import type { Revision } from "../../src/model/revision";

/** A revision of a graph; lists of ids are separated by spaces, "" for none. */
export function revision(id: string, parents = "", dependsOn = "", labels = ""): Revision {
  return {
    id,
    parents: words(parents),
    dependsOn: words(dependsOn),
    labels: words(labels),
    location: { file: `versions/${id}.py`, line: 1, column: 1 },
    message: "",
    upgrade: undefined,
    downgrade: undefined,
  };
}

export function words(text: string): string[] {
  return text === "" ? [] : text.split(" ");
}
