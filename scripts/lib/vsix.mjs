/** Packs the extension: one file for every system. */

import { readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { buildLibraries } from "./bundle.mjs";
import { buildClient } from "./client.mjs";
import { capture, Failure, ROOT } from "./run.mjs";
import { nodeProgram } from "./setup.mjs";

/** Builds everything and packs it as `loopsafe-<version>.vsix`. */
export async function buildVsix() {
  await buildClient();
  await buildLibraries();
  const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  return pack(ROOT, path.join(ROOT, `loopsafe-${version}.vsix`));
}

/** Packs an extension as it lies in a folder. */
export async function pack(folder, vsix, options = []) {
  const vsce = nodeProgram("@vscode", "vsce", "vsce");
  // The search for secrets takes minutes on the stubs that jedi brings, all of them public files.
  const noSearch = ["--allow-package-all-secrets", "--allow-package-env-file"];
  const args = [vsce, "package", "--no-dependencies", ...noSearch, ...options, "--out", vsix];
  // Its list of files and its advice to bundle what is bundled would bury everything else.
  const { code, output } = await capture(process.execPath, args, { cwd: folder });
  if (code !== 0) {
    throw new Failure(`The extension could not be packed:\n${output}`);
  }
  console.log(`Packed ${path.basename(vsix)}, ${(statSync(vsix).size / 2 ** 20).toFixed(1)} MB`);
  return vsix;
}
