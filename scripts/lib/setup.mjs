/** Sets up what the other scripts need, from nothing but Python and Node; skips what is in place. */

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { capture, Failure, npm, ROOT, run } from "./run.mjs";

const VENV = path.join(ROOT, ".venv");
const VENV_PYTHON =
  process.platform === "win32"
    ? path.join(VENV, "Scripts", "python.exe")
    : path.join(VENV, "bin", "python");
const IS_RECENT = "import sys; sys.exit(sys.version_info < (3, 10))";

export const PIP_INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];

/** What the server needs to run; enough for the demo. */
export const RUNTIME = "requirements/runtime.txt";
/** That and the tools of development. */
export const DEVELOPMENT = "requirements/dev.txt";
/** The libraries that tests read, without what they depend on. */
export const LIBRARIES = "requirements/libraries.txt";
/** The packages of which the server carries what matters. */
export const BUNDLE = "requirements/bundle.txt";

/** Installs a lock file into the virtual environment and gives its interpreter. */
export async function python(lock) {
  const interpreter = await virtualEnvironment();
  const isInstalled = [lock, DEVELOPMENT].some((file) => isUpToDate(stampOf(file), file));
  if (!isInstalled) {
    await run(interpreter, [...PIP_INSTALL, "--require-hashes", "-r", lock]);
    await run(interpreter, ["-c", LINK, path.join(ROOT, "server")]);
    writeFileSync(stampOf(lock), digest(lock));
  }
  return interpreter;
}

/** Makes the virtual environment where there is none and gives its interpreter. */
export async function virtualEnvironment() {
  if (!(await isRecent([VENV_PYTHON]))) {
    const [command, ...prefix] = await hostPython();
    console.log(`Making .venv with ${[command, ...prefix].join(" ")}`);
    await run(command, [...prefix, "-m", "venv", "--clear", VENV]);
  }
  return VENV_PYTHON;
}

/** Installs the Node packages as locked. */
export async function nodePackages() {
  const stamp = path.join(ROOT, "node_modules", ".installed");
  if (!isUpToDate(stamp, "package-lock.json")) {
    await run(...npm(["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]));
    writeFileSync(stamp, digest("package-lock.json"));
  }
}

/** A program of an installed Node package, as arguments for Node. */
export function nodeProgram(...parts) {
  return path.join(ROOT, "node_modules", ...parts);
}

export function digest(...files) {
  const hash = createHash("sha256");
  for (const file of files) {
    hash.update(readFileSync(path.join(ROOT, file)));
  }
  return hash.digest("hex");
}

export function isUpToDate(stamp, ...files) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === digest(...files);
}

function stampOf(lock) {
  return path.join(VENV, `${path.basename(lock)}.installed`);
}

// Makes `import loopsafe` find the source, as an editable install would, without building anything.
const LINK = `
import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "loopsafe.pth").write_text(sys.argv[1] + "\\n", "utf-8")
`;

async function hostPython() {
  const numbered = [14, 13, 12, 11, 10].map((minor) => [`python3.${minor}`]);
  const usual =
    process.platform === "win32" ? [["py", "-3"], ["python"]] : [["python3"], ["python"]];
  const named = process.env.LOOPSAFE_PYTHON ? [[process.env.LOOPSAFE_PYTHON]] : [];
  for (const command of [...named, ...usual, ...numbered]) {
    if (await isRecent(command)) {
      return command;
    }
  }
  throw new Failure("Python 3.10 or newer is needed, on PATH or named by LOOPSAFE_PYTHON.");
}

async function isRecent([command, ...prefix]) {
  try {
    return (await capture(command, [...prefix, "-c", IS_RECENT])).code === 0;
  } catch {
    return false;
  }
}
