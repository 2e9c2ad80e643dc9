/** What a folder may make Loopsafe do: nothing before it is trusted. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

const ORDERS = "shop/api/orders.py";
const TIMEOUT = { timeout: 300_000 };

let vscode;
before(async () => {
  vscode = await VsCode.start("trust", {
    settings: {
      "security.workspace.trust.enabled": true,
      "security.workspace.trust.startupPrompt": "never",
    },
    flags: [],
  });
});
after(() => vscode?.stop());

test(
  "the interpreter that a folder names is started once the folder is trusted",
  TIMEOUT,
  async () => {
    const folder = vscode.sample({ "loopsafe.interpreter": ["${workspaceFolder}/python"] });
    const trap = folder.write(
      "python",
      '#!/bin/sh\necho "$@" >> "$(dirname "$0")/started.txt"\nexec python3 "$@"\n',
    );
    fs.chmodSync(trap, 0o755);
    const trace = path.join(folder.path, "started.txt");
    const window = await vscode.window("trust", folder, ORDERS);
    try {
      await window.squiggles("warning", 3);
      await window.status(/restricted mode: without the environment.*Manage trust/s);
      await window.picture("restricted");
      assert.ok(!fs.existsSync(trace), "the folder's program was started");

      await window.command("Workspaces: Manage Workspace Trust");
      await window.page.getByRole("button", { name: "Trust", exact: true }).click();
      await eventually(() => fs.existsSync(trace) || "the folder's program was not started");
      await eventually(
        () => fs.readFileSync(trace, "utf8").includes("bundled/libs server") || "no server",
      );
      assert.deepEqual(await window.notifications(), []);
    } finally {
      await window.picture("end");
      await window.close();
    }
  },
);
