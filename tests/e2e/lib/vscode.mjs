/** A VS Code with Loopsafe installed, and a browser to look at it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "../../../scripts/lib/browser.mjs";
import { CodeServer, installCodeServer } from "../../../scripts/lib/code-server.mjs";
import { ROOT } from "../../../scripts/lib/run.mjs";
import { pack } from "../../../scripts/lib/vsix.mjs";
import { ARTIFACTS, Window } from "./window.mjs";

/** Windows may be slow to come up on a loaded machine. */
export const TIMEOUT = { timeout: 300_000 };
/** One light, one dark. */
export const THEMES = ["Default Light Modern", "Default Dark Modern"];

const SETTINGS = {
  "editor.hover.delay": 100,
  "editor.hover.above": false,
  "editor.accessibilitySupport": "off",
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  "editor.suggestOnTriggerCharacters": false,
  "remote.autoForwardPorts": false,
  "git.enabled": false,
  "workbench.colorTheme": "Default Light Modern",
};
// Headless, and without the look-ups that a browser makes by itself.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// The processes of a window that was closed go soon, instead of waiting for it to come back.
const FORGETFUL = ["--reconnection-grace-time", "5"];

export class VsCode {
  #server;
  #browser;
  #folders = 0;
  /** Below it lies everything that belongs to this VS Code, its processes' arguments included. */
  home = fs.mkdtempSync(path.join(tmpdir(), "loopsafe-e2e-"));

  /** Installs the extension and starts everything; cleans up if that fails. */
  static async start(name, { settings = {}, extensions = [], ...options } = {}) {
    const vscode = new VsCode();
    try {
      await vscode.#start(name, settings, extensions, options);
      return vscode;
    } catch (error) {
      await vscode.stop();
      throw error;
    }
  }

  /** A copy of the sample application, to be changed at will. */
  sample(settings) {
    this.#folders += 1;
    const folder = new Folder(path.join(this.home, String(this.#folders), "shop"));
    fs.cpSync(path.join(ROOT, "examples", "shop"), folder.path, { recursive: true });
    if (settings) {
      folder.write(".vscode/settings.json", JSON.stringify(settings));
    }
    return folder;
  }

  /** Works in a window; nothing may have popped up then, and a picture of the end is kept. */
  async show(title, folder, file, work) {
    const window = await this.window(title.replace(/\W+/g, "-"), folder, file);
    try {
      await work(window);
      assert.deepEqual(await window.notifications(), []);
    } finally {
      await window.picture("end");
      await window.close();
    }
  }

  window(name, folder, file) {
    return this.#open(name, this.#server.window(folder.path, file));
  }

  /** A window on a workspace file, with a file of one of its folders open. */
  workspace(name, workspace, file) {
    return this.#open(name, this.#server.window(workspace, file, "workspace"));
  }

  /** The process numbers of the language servers of all its windows, without their helpers. */
  servers() {
    const all = execFileSync("ps", ["-A", "-o", "pid=,args="], {
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    return all
      .split("\n")
      .filter((line) => line.includes("bundled/libs") && line.includes(this.home))
      .filter((line) => !/loopsafe\.(infer\.worker|engine\.warmer)/.test(line))
      .map((line) => Number.parseInt(line, 10));
  }

  async stop() {
    await this.#browser?.close();
    await this.#server?.stop();
    fs.rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(name, settings, extensions, options) {
    const vsix = process.env.LOOPSAFE_VSIX;
    if (!vsix) {
      throw new Error("LOOPSAFE_VSIX must name the packed extension; `npm test` does.");
    }
    const all = { ...SETTINGS, ...settings };
    this.#server = new CodeServer(await installCodeServer(), this.home, all);
    await this.#server.installExtension(vsix);
    for (const extension of extensions) {
      await this.#server.installExtension(await this.#packed(extension));
    }
    fs.mkdirSync(ARTIFACTS, { recursive: true });
    const log = fs.openSync(path.join(ARTIFACTS, `${name}.log`), "w");
    const flags = [...(options.flags ?? ["--disable-workspace-trust"]), ...FORGETFUL];
    await this.#server.start({ ...options, flags, log });
    this.#browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  }

  async #open(name, address) {
    const page = await this.#browser.newPage({ viewport: { width: 1280, height: 860 } });
    const window = new Window(page, name);
    await window.open(address);
    return window;
  }

  #packed(extension) {
    const vsix = path.join(this.home, `${path.basename(extension)}.vsix`);
    return pack(extension, vsix, ["--allow-missing-repository", "--skip-license"]);
  }
}

/** A folder that VS Code has open. */
class Folder {
  constructor(place) {
    this.path = place;
  }

  read(file) {
    return fs.readFileSync(path.join(this.path, file), "utf8");
  }

  write(file, text) {
    const target = path.join(this.path, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
    return target;
  }
}
