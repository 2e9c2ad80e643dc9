/** Settings take effect at once, in the server that runs; a wrong one is told where it stands. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TIMEOUT, VsCode } from "./lib/vscode.mjs";

const ORDERS = "shop/api/orders.py";

let vscode;
before(async () => {
  vscode = await VsCode.start("settings");
});
after(() => vscode?.stop());

/** Hands over a window, its folder, and what writes the folder's settings. */
function inWindow(title, settings, work) {
  test(title, TIMEOUT, () => {
    const folder = vscode.sample(settings);
    const set = (values) => folder.write(".vscode/settings.json", JSON.stringify(values));
    const others = vscode.servers();
    return vscode.show(title, folder, ORDERS, async (window) => {
      await window.squiggles("warning", 3);
      const servers = () => vscode.servers().filter((id) => !others.includes(id));
      const before = servers();
      assert.equal(before.length, 1);
      await work(window, set, folder);
      assert.deepEqual(servers(), before, "the server was started again");
    });
  });
}

inWindow("the editor's settings are live", {}, async (window, set) => {
  set({ "loopsafe.severity": { "blocking-sleep": "error" } });
  assert.deepEqual(await window.squiggles("error", 1), ["time.sleep"]);
  set({ "loopsafe.ignore": ["blocking-sleep"] });
  await window.squiggles("error", 0);
  assert.deepEqual(await window.squiggles("warning", 2), ["load_order", "requests.get"]);
  set({ "loopsafe.select": ["blocking-http"] });
  assert.deepEqual(await window.squiggles("warning", 1), ["requests.get"]);
  set({ "loopsafe.exclude": ["shop/api/"] });
  await window.squiggles("warning", 0);
  set({ "loopsafe.codeLens": "on" });
  await window.page.getByText("event loop · 1 call blocks it").first().waitFor();
  set({ "loopsafe.enable": false });
  await window.squiggles("warning", 0);
  await window.page.getByText("event loop · 1 call blocks it").first().waitFor({ state: "hidden" });
  set({});
  await window.squiggles("warning", 3);
});

inWindow(
  "pyproject.toml is live, and a mistake is told at its line",
  {},
  async (window, _, folder) => {
    const before = folder.read("pyproject.toml");
    folder.write("pyproject.toml", `${before}\n[tool.loopsafe]\nignore = ["blocking-http"]\n`);
    assert.deepEqual(await window.squiggles("warning", 2), ["load_order", "time.sleep"]);
    folder.write("pyproject.toml", `${before}\n[tool.loopsafe]\nignored = ["blocking-http"]\n`);
    const rows = await window.problems("ignored");
    assert.match(rows.join("\n"), /pyproject\.toml[\s\S]*ignored[\s\S]*did you mean[\s\S]*ignore/i);
    await window.picture("mistake");
    const panel = window.page.locator(".markers-panel");
    await window.press("Control+Shift+M", async () => !(await panel.isVisible()));
    assert.deepEqual(await window.squiggles("warning", 2), ["load_order", "time.sleep"]);
    folder.write("pyproject.toml", before);
    await window.squiggles("warning", 3);
  },
);

inWindow(
  "with onSave, a file is checked when it is saved",
  { "loopsafe.run": "onSave" },
  async (window) => {
    await window.page.mouse.click(...(await window.place("order = load_order")));
    await window.page.keyboard.press("Home");
    await window.page.keyboard.type("time.sleep(1)\n");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await window.squiggles("warning", 3);
    await window.save();
    await window.squiggles("warning", 4);
  },
);
