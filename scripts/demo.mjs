/**
 * `npm run demo`: opens the sample application in VS Code with Loopsafe installed, in one of its own.
 * `npm run demo -- --check` prints what the terminal says of it; `-- --browser` takes no installed VS Code.
 */

import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { CALM_SETTINGS, CodeServer, installCodeServer } from "./lib/code-server.mjs";
import { capture, Failure, main, ROOT, run, step } from "./lib/run.mjs";
import { python, RUNTIME } from "./lib/setup.mjs";
import { buildVsix } from "./lib/vsix.mjs";

const SAMPLE = path.join(ROOT, "examples", "shop");
const HOME = path.join(ROOT, "build", "demo");
const FIRST_FILE = path.join("shop", "api", "orders.py");
const FINDINGS = 1;

main(async (args) => {
  const interpreter = await step("Set up Python", () => python(RUNTIME));
  if (args.includes("--check")) {
    return check(interpreter);
  }
  const vsix = await step("Build the extension", buildVsix);
  // A copy: fixes that are tried out do not change the sample.
  const folder = path.join(HOME, "shop");
  rmSync(folder, { recursive: true, force: true });
  cpSync(SAMPLE, folder, { recursive: true });
  const code = args.includes("--browser") ? undefined : await installedCode();
  return code ? openInstalled(code, vsix, folder) : openInBrowser(vsix, folder);
});

/** Findings are what the demo is there to show: only a usage or configuration error is a failure. */
async function check(interpreter) {
  try {
    await run(interpreter, ["-m", "loopsafe", "check", SAMPLE]);
  } catch (error) {
    if (!(error instanceof Failure && error.code === FINDINGS)) {
      throw error;
    }
  }
}

/** The user's VS Code, if it can open a window from here. */
async function installedCode() {
  const { env, platform } = process;
  const hasScreen = platform !== "linux" || env.DISPLAY || env.WAYLAND_DISPLAY;
  // Inside a remote window `code` speaks to that window and takes no folders of its own.
  if (!hasScreen || env.VSCODE_IPC_HOOK_CLI) {
    return undefined;
  }
  const usual = {
    darwin: ["/Applications/Visual Studio Code.app/Contents/Resources/app/bin/code"],
    win32: [path.join(env.LOCALAPPDATA ?? "", "Programs", "Microsoft VS Code", "bin", "code.cmd")],
  };
  for (const command of ["code", ...(usual[platform] ?? [])]) {
    const answer = await capture(...viaShell(command, ["--version"])).catch(() => undefined);
    if (answer?.code === 0) {
      return command;
    }
  }
  return undefined;
}

async function openInstalled(code, vsix, folder) {
  const data = path.join(HOME, "user-data");
  mkdirSync(path.join(data, "User"), { recursive: true });
  writeFileSync(path.join(data, "User", "settings.json"), JSON.stringify(CALM_SETTINGS, null, 2));
  const own = ["--user-data-dir", data, "--extensions-dir", path.join(HOME, "extensions")];
  await step("Install the extension", () =>
    run(...viaShell(code, [...own, "--install-extension", vsix, "--force"])),
  );
  const file = path.join(folder, FIRST_FILE);
  await run(...viaShell(code, [...own, "--new-window", "--disable-workspace-trust", folder, file]));
  console.log(`\nVS Code shows ${file}.`);
}

async function openInBrowser(vsix, folder) {
  const installed = await step("Set up VS Code in the browser", installCodeServer);
  const server = new CodeServer(installed, path.join(HOME, "browser"));
  await step("Install the extension", () => server.installExtension(vsix));
  await server.start();
  console.log(
    `\nOpen this address in a browser; Ctrl+C ends it.\n\n    ${server.window(folder, FIRST_FILE)}\n`,
  );
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await server.stop();
}

/** On Windows `code` is a batch file, which only the shell starts, and which it must be quoted for. */
function viaShell(command, args) {
  if (process.platform !== "win32") {
    return [command, args];
  }
  const quoted = [command, ...args].map((part) => `"${part}"`);
  return [quoted[0], quoted.slice(1), { shell: true }];
}
