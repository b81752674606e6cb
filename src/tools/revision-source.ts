import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Revision } from "../model/revision";
import type { ToolProject } from "./contract";

export interface RevisionSource {
  readonly text: string;
  /** Of the bytes, hexadecimal. */
  readonly sha256: string;
}

/** A revision's file as it is on disk now. */
export function revisionSource(
  { root }: Pick<ToolProject, "root">,
  { location }: Pick<Revision, "location">,
): RevisionSource {
  const bytes = readFileSync(path.join(root, location.file));
  return { text: bytes.toString("utf8"), sha256: createHash("sha256").update(bytes).digest("hex") };
}
