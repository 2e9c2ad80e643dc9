/** The whole workspace: findings of files that are not open, kept right while files change on disk. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

const PLAIN = "shop/api/products.py";
const WHOLE = { "loopsafe.diagnosticMode": "workspace" };
const SLEEPY = "import time\n\n\nasync def nap():\n    time.sleep(1)\n";

let vscode;
before(async () => {
  vscode = await VsCode.start("workspace");
});
after(() => vscode?.stop());

function inWindow(title, settings, file, work) {
  test(title, TIMEOUT, () => {
    const folder = vscode.sample(settings);
    return vscode.show(title, folder, file, (window) => work(window, folder));
  });
}

/** Opens the Problems panel on all of the window, as rows that do not fit in are not there. */
async function problems(window, expected) {
  await window.problems(expected);
  await window.command("View: Toggle Maximized Panel");
}

/** Waits until the Problems panel says something, or no longer does. */
async function told(window, text, isTold = true) {
  const rows = window.page.locator(".markers-panel .monaco-list-row");
  await eventually(async () => {
    const found = (await rows.allInnerTexts()).join("\n").replace(/\u00a0/g, " ");
    return found.includes(text) === isTold || `${text}: ${!isTold}, among ${found}`;
  });
}

inWindow(
  "files that are not open are told of, and follow the disk",
  WHOLE,
  PLAIN,
  async (window, folder) => {
    await problems(window, "psycopg.connect()");
    await told(window, "health.py");
    await window.picture("all");

    folder.write("shop/nap.py", SLEEPY);
    await told(window, "nap.py");
    folder.write("shop/nap.py", SLEEPY.replace("async def", "def"));
    await told(window, "nap.py", false);

    // As a switch of branches does it: many files at once, some gone. One of them ended a chain.
    const store = "shop/repositories/order_store.py";
    const before = folder.read(store);
    folder.write(store, before.replace(/psycopg\.connect\(.*\)/, "contextlib.nullcontext()"));
    fs.rmSync(path.join(folder.path, "shop/api/health.py"));
    await told(window, "health.py", false);
    await told(window, "through psycopg.connect()", false);
    folder.write(store, before);
    await told(window, "through psycopg.connect()");
  },
);

inWindow("open files only is the default", {}, PLAIN, async (window) => {
  await window.status(/Loopsafe: no findings/);
  await window.press("Control+Shift+M", () => window.page.locator(".markers-panel").isVisible());
  assert.deepEqual(
    await window.page.locator(".markers-panel .monaco-list-row").allInnerTexts(),
    [],
  );
});

inWindow("the mode can be changed while it runs", {}, PLAIN, async (window, folder) => {
  await window.status(/Loopsafe: no findings/);
  const servers = vscode.servers();
  folder.write(".vscode/settings.json", JSON.stringify(WHOLE));
  await problems(window, "psycopg.connect()");
  folder.write(".vscode/settings.json", "{}");
  await told(window, "psycopg.connect()", false);
  assert.deepEqual(vscode.servers(), servers);
});

inWindow(
  "a finding in an open file follows another file on disk",
  {},
  "shop/api/orders.py",
  async (window, folder) => {
    await window.squiggles("warning", 3);
    const service = "shop/services/ordering.py";
    const before = folder.read(service);
    folder.write(
      service,
      before.replace(/def load_order[\s\S]*/, "def load_order(order_id): ...\n"),
    );
    assert.deepEqual(await window.squiggles("warning", 2), ["requests.get", "time.sleep"]);
    folder.write(service, before);
    await window.squiggles("warning", 3);
  },
);

test("a file that is renamed or deleted leaves no findings behind", TIMEOUT, async () => {
  const folder = vscode.sample(WHOLE);
  folder.write("shop/nap.py", SLEEPY);
  await vscode.show("renamed", folder, PLAIN, async (window) => {
    await problems(window, "psycopg.connect()");
    await told(window, "nap.py");
    fs.renameSync(path.join(folder.path, "shop/nap.py"), path.join(folder.path, "shop/rest.py"));
    await told(window, "rest.py");
    await told(window, "nap.py", false);
    fs.rmSync(path.join(folder.path, "shop/rest.py"));
    await told(window, "rest.py", false);
  });
});
