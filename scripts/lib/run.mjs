/** Runs programs, one named step at a time; the first failure ends the script with its exit code. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

export class Failure extends Error {
  constructor(message, code = 1) {
    super(message);
    this.code = code;
  }
}

/** Runs a program in the foreground; resolves when it ends well. */
export async function run(command, args = [], options = {}) {
  const { code, signal } = await ended(
    start(command, args, { stdio: "inherit", ...options }),
    command,
  );
  if (code !== 0) {
    throw new Failure(`${command} ended with ${signal ?? `exit code ${code}`}`, code ?? 1);
  }
}

/** Runs a program out of sight and gives its exit code and all it wrote. */
export async function capture(command, args = [], options = {}) {
  const child = start(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const { code } = await ended(child, command);
  return { code, output };
}

/** npm, without depending on how this system starts its wrapper script. */
export function npm(args, options = {}) {
  const script = process.env.npm_execpath;
  return script?.endsWith("js")
    ? [process.execPath, [script, ...args], options]
    : ["npm", args, { shell: process.platform === "win32", ...options }];
}

/** Prints a title, does the work, prints how long it took. */
export async function step(title, work) {
  console.log(`\n== ${title}`);
  const began = Date.now();
  const result = await work();
  console.log(`-- ${title}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

/** The outermost call of a script. */
export async function main(work) {
  try {
    process.exitCode = (await work(process.argv.slice(2))) ?? 0;
  } catch (error) {
    console.error(error instanceof Failure ? `\n${error.message}` : error);
    process.exitCode = error instanceof Failure ? error.code : 1;
  }
}

function start(command, args, options) {
  return spawn(command, args, { cwd: ROOT, windowsHide: true, ...options });
}

function ended(child, command) {
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Failure(`${command} cannot be started: ${error.message}`)),
    );
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}
