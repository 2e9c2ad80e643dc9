/** The life of the server: which Python runs it, what it is told, and what happens when it dies. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../../scripts/lib/run.mjs";
import { python, RUNTIME } from "../../scripts/lib/setup.mjs";
import { TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

const ORDERS = "shop/api/orders.py";

let vscode;
before(async () => {
  const extensions = [path.join(ROOT, "tests/e2e/fake-python")];
  vscode = await VsCode.start("life", { extensions });
});
after(() => vscode?.stop());

/** Hands over a window, and what tells the process numbers of its own servers. */
async function inWindow(name, folder, work) {
  const others = vscode.servers();
  const servers = () => vscode.servers().filter((id) => !others.includes(id));
  await vscode.show(name, folder, ORDERS, (window) => work(window, servers));
}

test(
  "the environment of the Python extension is analysed, by the same server",
  TIMEOUT,
  async () => {
    const environment = path.join(vscode.home, "project-environment");
    execFileSync(await python(RUNTIME), ["-m", "venv", "--without-pip", environment]);
    const folder = vscode.sample();
    await inWindow("python-extension", folder, async (window, servers) => {
      await window.squiggles("warning", 3);
      const server = servers();
      folder.write("selected-python.txt", path.join(environment, "bin", "python"));
      await window.status(/Python 3\.\d+ \(project-environment\)/);
      assert.deepEqual(servers(), server);
    });
  },
);

test(
  "where the chosen interpreter does not start, another one serves and the status says so",
  TIMEOUT,
  async () => {
    const folder = vscode.sample({ "loopsafe.interpreter": ["/nowhere/python"] });
    await inWindow("wrong-interpreter", folder, async (window) => {
      await window.squiggles("warning", 3);
      await window.status(/\/nowhere\/python \(loopsafe\.interpreter\): no such file/);
    });
  },
);

test("a server that is killed comes back, and knows the unsaved text", TIMEOUT, async () => {
  const folder = vscode.sample();
  await inWindow("killed", folder, async (window, servers) => {
    await window.squiggles("warning", 3);
    await window.page.mouse.click(...(await window.place("order = load_order")));
    await window.page.keyboard.press("Home");
    await window.page.keyboard.type("time.sleep(1)\n");
    await window.squiggles("warning", 4);
    const [first] = servers();
    process.kill(first, "SIGKILL");
    await eventually(() => {
      const [next] = servers();
      return (next !== undefined && next !== first) || "no new server";
    });
    await window.page.keyboard.type("time.sleep(2)\n");
    await window.squiggles("warning", 5);
  });
});

test("a server that cannot start says why, in the status only", TIMEOUT, async () => {
  const folder = vscode.sample();
  const broken = folder.write(
    "broken-python",
    '#!/bin/sh\ncase "$*" in *" -c "*) printf 3.12.1;; *) echo "ImportError: half an install" >&2; exit 1;; esac\n',
  );
  fs.chmodSync(broken, 0o755);
  folder.write(".vscode/settings.json", JSON.stringify({ "loopsafe.interpreter": [broken] }));
  await inWindow("cannot-start", folder, async (window) => {
    await window.status(/Loopsafe stopped.*ImportError: half an install/s);
    folder.write(".vscode/settings.json", "{}");
    await window.squiggles("warning", 3);
  });
});
