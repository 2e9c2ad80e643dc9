/** A real VS Code in the browser: code-server, installed outside the checkout, once per version. */

import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import * as path from "node:path";
import { capture, Failure, npm, ROOT, run } from "./run.mjs";
import { digest } from "./setup.mjs";

const MANIFEST = "scripts/code-server";
const NODE_MAJOR = "24";

/** What keeps the first window calm, and equal on every machine. */
export const CALM_SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.enableExperiments": false,
  "security.workspace.trust.enabled": false,
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "update.mode": "none",
  "git.openRepositoryInParentFolders": "never",
};

/** Installs code-server and a Node that it runs on; gives both. */
export async function installCodeServer() {
  if (process.platform === "win32") {
    throw new Failure(
      "code-server does not run on Windows; install VS Code and have `code` on PATH.",
    );
  }
  const version = digest(`${MANIFEST}/package.json`, `${MANIFEST}/package-lock.json`).slice(0, 12);
  const place = path.join(cacheFolder(), `code-server-${version}`);
  if (!existsSync(place)) {
    console.log(`Installing code-server into ${place}, about 800 MB`);
    mkdirSync(cacheFolder(), { recursive: true });
    const work = mkdtempSync(`${place}-`);
    try {
      await installInto(work);
      renameSync(work, place);
    } catch (error) {
      rmSync(work, { recursive: true, force: true });
      throw error;
    }
  }
  return {
    node: nodeFor(place),
    entry: path.join(place, "node_modules/code-server/out/node/entry.js"),
  };
}

/** One VS Code with folders of its own below `home`; nothing of the user's is read or written. */
export class CodeServer {
  #child;
  #installed;
  #folders;

  constructor(installed, home, settings = {}) {
    this.#installed = installed;
    const data = path.join(home, "user-data");
    mkdirSync(path.join(data, "User"), { recursive: true });
    const all = { ...CALM_SETTINGS, ...settings };
    writeFileSync(path.join(data, "User", "settings.json"), JSON.stringify(all, null, 2));
    const config = path.join(home, "config.yaml");
    writeFileSync(config, "auth: none\ncert: false\n");
    this.extensions = path.join(home, "extensions");
    this.#folders = [
      "--config",
      config,
      "--user-data-dir",
      data,
      "--extensions-dir",
      this.extensions,
    ];
  }

  async installExtension(vsix) {
    const { node, entry } = this.#installed;
    const args = [entry, ...this.#folders, "--force", "--install-extension", vsix];
    const { output } = await capture(node, args, { env: environment(), timeout: 120_000 });
    if (!output.includes("successfully installed")) {
      throw new Failure(`The extension could not be installed:\n${output}`);
    }
  }

  /** Starts listening and gives the address; what VS Code grumbles goes to `log`. */
  async start({ flags = ["--disable-workspace-trust"], variables = {}, log = "ignore" } = {}) {
    const port = await freePort();
    const { node, entry } = this.#installed;
    const quiet = [
      "--disable-telemetry",
      "--disable-update-check",
      "--disable-getting-started-override",
    ];
    const args = [entry, ...this.#folders, "--auth", "none", ...quiet, ...flags];
    this.#child = spawn(node, [...args, "--bind-addr", `127.0.0.1:${port}`], {
      env: { ...environment(), ...variables },
      stdio: ["ignore", log, log],
    });
    const address = `http://127.0.0.1:${port}`;
    await this.#answering(`${address}/healthz`);
    this.address = address;
    return address;
  }

  /** The address of a window on a folder, or on a workspace file, with a file open. */
  window(opened, file, kind = "folder") {
    const place = path.resolve(opened, file);
    const remote = `vscode-remote://${new URL(this.address).host}${place}`;
    const payload = JSON.stringify([["openFile", remote]]);
    return `${this.address}/?${new URLSearchParams({ [kind]: opened, payload })}`;
  }

  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(timer);
  }

  async #answering(url) {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
      if (this.#child.exitCode !== null) {
        throw new Failure(`code-server ended with exit code ${this.#child.exitCode}`);
      }
      const answer = await fetch(url).catch(() => undefined);
      if (answer?.ok) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Failure("code-server does not answer");
  }
}

async function installInto(folder) {
  cpSync(path.join(ROOT, MANIFEST), folder, { recursive: true });
  const quiet = ["--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];
  await run(...npm(["ci", ...quiet], { cwd: folder }));
  const vscode = path.join(folder, "node_modules/code-server/lib/vscode");
  // Not `npm ci`: the lock file that ships with code-server does not fit its manifest.
  await run(...npm(["install", "--omit=dev", ...quiet], { cwd: vscode }));
  await buildLogger(vscode);
}

/** The native logger gives VS Code its log files and Output channels; it runs without. */
async function buildLogger(vscode) {
  const headers = path.resolve(process.execPath, "../..");
  if (!existsSync(path.join(headers, "include/node/node_api.h"))) {
    return;
  }
  const args = ["rebuild", "@vscode/spdlog", "--foreground-scripts"];
  const env = { ...process.env, npm_config_nodedir: headers };
  await capture(...npm(args, { cwd: vscode, env }));
}

function nodeFor(place) {
  if (process.versions.node.split(".")[0] === NODE_MAJOR) {
    return process.execPath;
  }
  const { platform, arch } = process;
  for (const name of [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`]) {
    const program = path.join(place, "node_modules", name, "bin", "node");
    if (existsSync(program)) {
      return program;
    }
  }
  throw new Failure(`code-server needs Node ${NODE_MAJOR}; this is Node ${process.versions.node}.`);
}

function cacheFolder() {
  const usual =
    process.platform === "darwin"
      ? path.join(homedir(), "Library/Caches")
      : path.join(homedir(), ".cache");
  return path.join(process.env.XDG_CACHE_HOME ?? usual, "loopsafe-development");
}

/** Without what makes code-server believe that it runs inside another VS Code, or elsewhere. */
function environment() {
  const env = { ...process.env };
  for (const name of Object.keys(env)) {
    if (
      /^(VSCODE_.*|CODE_SERVER_.*|ELECTRON_.*|NODE_OPTIONS|PORT|PASSWORD|HASHED_PASSWORD)$/.test(
        name,
      )
    ) {
      delete env[name];
    }
  }
  return env;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
