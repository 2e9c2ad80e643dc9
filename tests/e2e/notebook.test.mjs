/** Notebooks: the cells are one module, and what is seen and edited is in its own cell. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { THEMES, TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

const CELLS = [
  // First, because VS Code asks the first cell alone what is to be done on save.
  ["code", "%pip install requests\nimport time\nimport requests"],
  ["markdown", "# Exchange rates"],
  ["code", "def load(url):\n    return requests.get(url, timeout=5).json()"],
  ["code", "async def main():\n    time.sleep(1)\n    return load('rates')\n\nawait main()"],
];

let vscode;
before(async () => {
  vscode = await VsCode.start("notebook");
});
after(() => vscode?.stop());

/** A window with the notebook open, and what tells the texts of its code cells on disk. */
function inNotebook(title, settings, work) {
  test(title, TIMEOUT, async () => {
    const folder = vscode.sample(settings);
    folder.write("rates.ipynb", notebook(CELLS));
    const cells = () =>
      JSON.parse(folder.read("rates.ipynb"))
        .cells.filter((cell) => cell.cell_type === "code")
        .map((cell) => cell.source.join(""));
    await vscode.show(title, folder, "shop/api/products.py", async (window) => {
      await window.openFile("rates.ipynb");
      assert.deepEqual(await window.squiggles("warning", 2), ["time.sleep", "load"]);
      await work(window, cells);
    });
  });
}

for (const theme of THEMES) {
  const settings = { "workbench.colorTheme": theme, "loopsafe.codeLens": "on" };
  inNotebook(`a finding in a cell is explained, ${theme}`, settings, async (window) => {
    await window.page.getByText("event loop · 2 calls block it").waitFor();
    const text = await window.hover("load('", "Instead");
    assert.match(text, /rates\.ipynb\(2, 12\): load calls requests\.get\(\)/);
    await window.picture("hover");
  });
}

inNotebook("a quick fix changes the cells it has to, without asking", {}, async (window, cells) => {
  await window.quickFixes("time.sleep");
  await window.choose("Use await asyncio.sleep()");
  await window.squiggles("warning", 1);
  await window.save();
  await eventually(() => cells()[0].includes("import asyncio") || cells()[0]);
  assert.equal(cells()[0], "%pip install requests\nimport asyncio\nimport time\nimport requests");
  assert.match(cells()[2], /await asyncio\.sleep\(1\)/);
  assert.equal(await window.page.getByText("Refactor Preview").count(), 0);
});

inNotebook("fix all is for all cells", {}, async (window, cells) => {
  await window.page.mouse.click(...(await window.place("return requests")));
  await window.command("Loopsafe: Fix All");
  await window.squiggles("warning", 1);
  await window.save();
  await eventually(() => cells()[2].includes("await asyncio.sleep(1)") || cells()[2]);
});

const ON_SAVE = { "notebook.codeActionsOnSave": { "notebook.source.fixAll.loopsafe": "explicit" } };
inNotebook("fix all can be done on save", ON_SAVE, async (window, cells) => {
  await window.page.mouse.click(...(await window.place("await main()")));
  await window.page.keyboard.press("End");
  await window.page.keyboard.type("  # now");
  await window.save();
  await eventually(() => cells()[2].includes("await asyncio.sleep(1)") || cells()[2]);
});

function notebook(cells) {
  const written = cells.map(([kind, text]) => ({
    cell_type: kind,
    metadata: {},
    source: text.split(/(?<=\n)/),
    ...(kind === "code" ? { outputs: [], execution_count: null } : {}),
  }));
  const metadata = { language_info: { name: "python" } };
  return JSON.stringify({ cells: written, metadata, nbformat: 4, nbformat_minor: 5 });
}
