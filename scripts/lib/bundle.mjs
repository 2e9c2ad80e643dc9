/**
 * Makes `bundled/libs`, the folder that the editor starts as `python -I -S bundled/libs server`:
 * the server and everything it imports, in pure Python, so that one package serves every system.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, ROOT, run } from "./run.mjs";
import { digest, isUpToDate, PIP_INSTALL, RUNTIME, virtualEnvironment } from "./setup.mjs";

const BUNDLED = path.join(ROOT, "bundled");
/** Where the server's libraries are. */
export const LIBRARIES = path.join(BUNDLED, "libs");
const LICENSES = path.join(BUNDLED, "licenses");
const STAMP = path.join(BUNDLED, "lock");
const OLDEST_PYTHON = "3.10";

const MAIN = `from loopsafe.cli import main

raise SystemExit(main())
`;

export async function buildLibraries() {
  if (!isUpToDate(STAMP, RUNTIME)) {
    await install();
    fs.writeFileSync(STAMP, digest(RUNTIME));
  }
  const own = path.join(LIBRARIES, "loopsafe");
  fs.rmSync(own, { recursive: true, force: true });
  fs.cpSync(path.join(ROOT, "server/loopsafe"), own, { recursive: true });
  fs.writeFileSync(path.join(LIBRARIES, "__main__.py"), MAIN);
  const precompute = path.join(ROOT, "scripts/precompute.py");
  await run(await virtualEnvironment(), ["-I", precompute, LIBRARIES]);
  removeBytecode(LIBRARIES);
  refuseNative(LIBRARIES);
}

async function install() {
  fs.rmSync(BUNDLED, { recursive: true, force: true });
  await run(await virtualEnvironment(), [
    ...PIP_INSTALL,
    ...["--target", LIBRARIES, "--no-deps", "--no-compile", "--require-hashes", "-r", RUNTIME],
    ...["--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none"],
    ...["--python-version", OLDEST_PYTHON],
  ]);
  for (const name of fs.readdirSync(LIBRARIES)) {
    const entry = path.join(LIBRARIES, name);
    if (name.endsWith(".dist-info")) {
      keepLicenses(entry, path.join(LICENSES, name.replace(/\.dist-info$/, "")));
    }
    if (name.endsWith(".dist-info") || name === "bin") {
      fs.rmSync(entry, { recursive: true });
    }
  }
}

function keepLicenses(metadata, target) {
  for (const name of fs.readdirSync(metadata, { recursive: true })) {
    const file = path.join(metadata, name);
    if (
      /(licen[cs]e|copying|notice|authors)/i.test(path.basename(name)) &&
      fs.statSync(file).isFile()
    ) {
      fs.mkdirSync(target, { recursive: true });
      fs.copyFileSync(file, path.join(target, path.basename(name)));
    }
  }
}

/** Left by tests that ran the bundle; good for one version of Python only. */
function removeBytecode(folder) {
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (path.basename(name) === "__pycache__") {
      fs.rmSync(path.join(folder, name), { recursive: true });
    }
  }
}

function refuseNative(folder) {
  const native = fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => /\.(so|pyd|dylib|dll)$/.test(name));
  if (native.length > 0) {
    throw new Failure(`The server must stay pure Python, but these are not:\n${native.join("\n")}`);
  }
}
