/** On a machine without Python the status says what is missing, and a setting is enough to go on. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { python, RUNTIME } from "../../scripts/lib/setup.mjs";
import { VsCode } from "./lib/vscode.mjs";

const ORDERS = "shop/api/orders.py";

let vscode;
before(async () => {
  // As started from a terminal: VS Code does not ask the login shell for its PATH then.
  const variables = { PATH: "/nowhere", VSCODE_CLI: "1" };
  vscode = await VsCode.start("no-python", { variables });
});
after(() => vscode?.stop());

test("without Python the status asks for one, and takes the one that is then chosen", {
  timeout: 300_000,
}, async () => {
  const folder = vscode.sample();
  const window = await vscode.window("no-python", folder, ORDERS);
  try {
    await window.status(
      /Loopsafe needs Python 3\.10 or newer\s*Choose Python\s*There is no Python on PATH/,
    );
    await window.picture("status");
    const settings = { "loopsafe.interpreter": [await python(RUNTIME)] };
    folder.write(".vscode/settings.json", JSON.stringify(settings));
    await window.squiggles("warning", 3);
    assert.deepEqual(await window.notifications(), []);
  } finally {
    await window.picture("end");
    await window.close();
  }
});
