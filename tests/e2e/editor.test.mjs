/** The main job in a real VS Code: see the finding, read why, fix it, save. */

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../../scripts/lib/run.mjs";
import { VsCode } from "./lib/vscode.mjs";

const ORDERS = "shop/api/orders.py";
const TIMEOUT = { timeout: 180_000 };

let vscode;
before(async () => {
  vscode = await VsCode.start();
});
after(() => vscode?.stop());

test("the calls that block are underlined, and only those", TIMEOUT, async () => {
  const window = await vscode.window("squiggles", vscode.sample(), ORDERS);
  const words = await window.squiggles("warning", 3);
  await window.picture("editor");
  assert.deepEqual(words, ["load_order", "requests.get", "time.sleep"]);
  assert.deepEqual(await window.notifications(), []);
});
