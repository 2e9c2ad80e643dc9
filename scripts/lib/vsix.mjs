/** Packs the extension: one file for every system. */

import { readFileSync } from "node:fs";
import * as path from "node:path";
import { buildLibraries } from "./bundle.mjs";
import { buildClient } from "./client.mjs";
import { ROOT, run } from "./run.mjs";
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
  await run(process.execPath, args, { cwd: folder });
  return vsix;
}
