export async function changedFiles(
  _root: string,
  _base: string,
): Promise<{ added: string[]; modified: string[] }> {
  throw new Error("not there yet");
}
