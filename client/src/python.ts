/** Finds a Python that can run the server. Knows nothing of the editor. */

import { type ExecFileException, execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import * as path from "node:path";

/** jedi, astroid and cattrs need it. */
export const OLDEST: readonly [number, number] = [3, 10];

export interface Interpreter {
  /** Absolute path of the program. */
  readonly program: string;
  /** What comes before the arguments of Python itself, as `-3` for the launcher of Windows. */
  readonly prefix: readonly string[];
  /** `3.12.1`. */
  readonly version: string;
  /** Where it was found, in the words of the status item. */
  readonly origin: Origin;
}

export type Origin = "loopsafe.interpreter" | "the Python extension" | "PATH";

export interface Candidate {
  readonly program: string;
  readonly prefix: readonly string[];
  readonly origin: Origin;
}

export interface Found {
  readonly interpreter: Interpreter | undefined;
  /** One sentence for each candidate that was tried in vain. */
  readonly failures: readonly string[];
}

/** What a path in the settings may refer to. */
export interface Surroundings {
  readonly folders: readonly { readonly name: string; readonly path: string }[];
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
}

/** The candidates in the order in which they are tried. */
export function candidates(
  configured: readonly string[],
  active: string | undefined,
  surroundings: Surroundings,
  platform: NodeJS.Platform = process.platform,
): Candidate[] {
  const found: Candidate[] = [];
  const [command, ...prefix] = configured.map((part) => expand(part, surroundings));
  if (command) {
    for (const program of programs(command, surroundings, platform)) {
      found.push({ program, prefix, origin: "loopsafe.interpreter" });
    }
  }
  if (active) {
    found.push({ program: active, prefix: [], origin: "the Python extension" });
  }
  for (const [name, ...rest] of commonNames(platform)) {
    for (const program of onPath(name, surroundings.environment, platform)) {
      found.push({ program, prefix: rest, origin: "PATH" });
    }
  }
  return found;
}

/** The first candidate that starts and is new enough. */
export async function find(tried: readonly Candidate[]): Promise<Found> {
  const failures: string[] = [];
  for (const candidate of tried) {
    const version = await probe(candidate);
    if (version instanceof Error) {
      failures.push(`${candidate.program} (${candidate.origin}): ${version.message}`);
      continue;
    }
    if (!isRecent(version)) {
      failures.push(`${candidate.program} (${candidate.origin}) is Python ${version}`);
      continue;
    }
    return { interpreter: { ...candidate, version }, failures };
  }
  return { interpreter: undefined, failures };
}

/** Replaces `~`, `${workspaceFolder}`, `${workspaceFolder:name}` and `${env:NAME}`. */
export function expand(value: string, surroundings: Surroundings): string {
  const first = surroundings.folders[0]?.path ?? "";
  const named = (name: string) => surroundings.folders.find((one) => one.name === name)?.path;
  const text = value
    .replace(/\$\{workspaceFolder\}/g, () => first)
    .replace(/\$\{workspaceFolder:([^}]+)\}/g, (whole, name: string) => named(name) ?? whole)
    .replace(/\$\{userHome\}/g, () => surroundings.home)
    .replace(/\$\{env:([^}]+)\}/g, (_, name: string) => surroundings.environment[name] ?? "");
  if (text === "~" || text.startsWith("~/") || text.startsWith("~\\")) {
    return path.join(surroundings.home, text.slice(1));
  }
  return text;
}

/** The same for a path, which may be relative to the first folder. */
export function expandPath(value: string, surroundings: Surroundings): string {
  const text = expand(value, surroundings);
  const first = surroundings.folders[0]?.path;
  return text && first && !path.isAbsolute(text) ? path.resolve(first, text) : text;
}

/** The surroundings of this process, for paths of the given folders. */
export function surroundingsOf(folders: Surroundings["folders"]): Surroundings {
  return { folders, environment: process.env, home: homedir() };
}

/** What starts the server from its folder, shut off from the user's packages and from the workspace. */
export function serverArguments(interpreter: Interpreter, libraries: string, cache: string) {
  const isolated = ["-I", "-S", "-X", "utf8", "-X", `pycache_prefix=${cache}`];
  return [...interpreter.prefix, ...isolated, libraries, "server"];
}

function programs(
  command: string,
  surroundings: Surroundings,
  platform: NodeJS.Platform,
): string[] {
  const isName = !command.includes("/") && !command.includes("\\");
  return isName
    ? onPath(command, surroundings.environment, platform)
    : [expandPath(command, surroundings)];
}

function commonNames(platform: NodeJS.Platform): [string, ...string[]][] {
  const numbered = [15, 14, 13, 12, 11, 10].map((minor): [string] => [`python3.${minor}`]);
  return platform === "win32"
    ? [["py", "-3"], ["python"], ["python3"]]
    : [["python3"], ["python"], ...numbered];
}

/**
 * Every program of that name on PATH, as absolute paths.
 *
 * Left to itself, Windows looks into the current folder before PATH, and a relative entry of PATH
 * means a folder of the workspace: neither may choose the program that is started.
 */
function onPath(name: string, environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const { delimiter, isAbsolute, join, extname } = platform === "win32" ? path.win32 : path.posix;
  const ending = platform === "win32" && !extname(name) ? ".exe" : "";
  const variable = environment.PATH ?? environment.Path ?? "";
  const folders = variable.split(delimiter).filter((folder) => isAbsolute(folder));
  const files = folders.map((folder) => join(folder, name + ending));
  return [...new Set(files)].filter(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

const QUESTION =
  "import sys; sys.stdout.write('.'.join(str(part) for part in sys.version_info[:3]))";
const PATIENCE_MS = 10_000;

function probe(candidate: Candidate): Promise<string | Error> {
  const asked = [...candidate.prefix, "-I", "-S", "-c", QUESTION];
  const options = {
    timeout: PATIENCE_MS,
    windowsHide: true,
    cwd: path.parse(candidate.program).root,
  };
  return new Promise((resolve) => {
    execFile(candidate.program, asked, options, (error, output, complaint) => {
      const said = complaint.trim().split(/\r?\n/).pop();
      if (error) {
        resolve(new Error(said || inWords(error)));
      } else if (/^\d+\.\d+\.\d+$/.test(output)) {
        resolve(output);
      } else {
        resolve(new Error("does not answer like Python"));
      }
    });
  });
}

/** Why a program gave no answer, short enough for the status item. */
function inWords(error: ExecFileException): string {
  switch (error.code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
      return "is no program";
  }
  const end = error.signal ?? `exit code ${error.code}`;
  return error.killed ? "does not answer" : `ends with ${end}`;
}
