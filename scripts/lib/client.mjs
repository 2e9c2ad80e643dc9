/** Builds the client: TypeScript to one JavaScript file, tests to one file each. */

import { readdirSync, rmSync } from "node:fs";
import * as path from "node:path";
import { ROOT } from "./run.mjs";
import { nodePackages } from "./setup.mjs";

const COMMON = {
  bundle: true,
  platform: "node",
  target: "node20",
  logLevel: "warning",
  absWorkingDir: ROOT,
};

/** What VS Code loads. */
export async function buildClient() {
  const { build } = await esbuild();
  await build({
    ...COMMON,
    entryPoints: ["client/src/extension.ts"],
    outfile: "client/dist/extension.js",
    format: "cjs",
    external: ["vscode"],
    minify: true,
    legalComments: "eof",
  });
}

/** The tests of the parts that do not need VS Code; gives their file names. */
export async function buildClientTests() {
  const { build } = await esbuild();
  const folder = path.join(ROOT, "tests/client");
  const tests = readdirSync(folder).filter((name) => name.endsWith(".test.ts"));
  const outdir = path.join(ROOT, "build/client-tests");
  rmSync(outdir, { recursive: true, force: true });
  await build({
    ...COMMON,
    entryPoints: tests.map((name) => path.join(folder, name)),
    outdir,
    outExtension: { ".js": ".mjs" },
    format: "esm",
  });
  return tests.map((name) => path.join(outdir, name.replace(/\.ts$/, ".mjs")));
}

/** Loaded late: before the set-up it is not there. */
async function esbuild() {
  await nodePackages();
  return import("esbuild");
}
