/** A VS Code with Loopsafe installed, and a browser to look at it. */

import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { chromium } from "playwright-core";
import { findChromium } from "../../../scripts/lib/browser.mjs";
import { CodeServer, installCodeServer } from "../../../scripts/lib/code-server.mjs";
import { ROOT } from "../../../scripts/lib/run.mjs";
import { Window } from "./window.mjs";

const SETTINGS = {
  "editor.hover.delay": 100,
  "editor.accessibilitySupport": "off",
  "editor.minimap.enabled": false,
  "files.autoSave": "off",
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

export class VsCode {
  #server;
  #browser;
  #home = mkdtempSync(path.join(tmpdir(), "loopsafe-e2e-"));

  /** Installs the extension and starts everything; cleans up if that fails. */
  static async start(settings = {}, flags = ["--disable-workspace-trust"]) {
    const vscode = new VsCode();
    try {
      await vscode.#start(settings, flags);
      return vscode;
    } catch (error) {
      await vscode.stop();
      throw error;
    }
  }

  /** A copy of the sample application, to be changed at will. */
  sample() {
    const folder = mkdtempSync(path.join(this.#home, "sample-"));
    cpSync(path.join(ROOT, "examples", "shop"), folder, { recursive: true });
    return new Folder(folder);
  }

  async window(name, folder, file) {
    const page = await this.#browser.newPage({ viewport: { width: 1280, height: 860 } });
    const window = new Window(page, name);
    await window.open(this.#server.window(folder.path, file));
    return window;
  }

  async stop() {
    await this.#browser?.close();
    await this.#server?.stop();
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(settings, flags) {
    const vsix = process.env.LOOPSAFE_VSIX;
    if (!vsix) {
      throw new Error("LOOPSAFE_VSIX must name the packed extension; `npm test` does.");
    }
    this.#server = new CodeServer(await installCodeServer(), this.#home, { ...SETTINGS, ...settings });
    await this.#server.installExtension(vsix);
    await this.#server.start(flags);
    this.#browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  }
}

/** A folder that VS Code has open. */
class Folder {
  constructor(place) {
    this.path = place;
  }

  read(file) {
    return readFileSync(path.join(this.path, file), "utf8");
  }
}
