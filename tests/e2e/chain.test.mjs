/** The way from the event loop to the call that waits, and where functions run. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { THEMES, TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

const ORDERS = "shop/api/orders.py";
const STORE = "shop/repositories/order_store.py";

let vscode;
before(async () => {
  vscode = await VsCode.start("chain");
});
after(() => vscode?.stop());

function inWindow(title, settings, file, work) {
  test(title, TIMEOUT, () => vscode.show(title, vscode.sample(settings), file, work));
}

/** The rows of the tree from the one on, from top to bottom, once the last one is there. */
async function treeFrom(window, first, last) {
  const rows = window.page.locator(".sidebar .monaco-list-row");
  let found = [];
  await eventually(async () => {
    found = await rows.evaluateAll(fromTop);
    const start = found.findIndex((text) => text.startsWith(first));
    found = found.slice(start === -1 ? found.length : start);
    return found.at(-1)?.startsWith(last) || `no rows from ${first} to ${last}: ${found}`;
  });
  return found;
}

/** A list keeps its rows in the order in which they were drawn: they are sorted by their place. */
function fromTop(rows) {
  return rows
    .toSorted((one, other) => Number(one.dataset.index) - Number(other.dataset.index))
    .map((row) => row.innerText.replace(/\s+/g, " ").trim());
}

/** A window that is still starting may drop what is chosen in a menu: once more, then. */
async function shownChain(window, attempts = 2) {
  const titles = await window.quickFixes("load_order(");
  assert.match(titles.join("\n"), /Show blocking chain/);
  await window.choose("Show blocking chain");
  try {
    return await treeFrom(window, "read_order", "psycopg.connect()");
  } catch (error) {
    if (attempts === 1) {
      throw error;
    }
    return shownChain(window, attempts - 1);
  }
}

for (const theme of THEMES) {
  inWindow(
    `the lightbulb shows the chain as a tree, ${theme}`,
    { "workbench.colorTheme": theme },
    ORDERS,
    async (window) => {
      await window.squiggles("warning", 3);
      assert.deepEqual(await shownChain(window), [
        "read_orderorders.py:18",
        "load_orderordering.py:12",
        "fetch_orderorder_store.py:10",
        "psycopg.connect()waits",
      ]);
      await window.picture("tree");
      await window.page
        .locator(".sidebar .monaco-list-row")
        .filter({ hasText: "fetch_order" })
        .click();
      await window.place("def fetch_order");
    },
  );
}

inWindow("the root of the chain is one command away", {}, ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.page.mouse.click(...(await window.place("load_order(")));
  await window.command("Loopsafe: Go to Root");
  await window.place("def fetch_order");
});

for (const theme of THEMES) {
  const settings = { "workbench.colorTheme": theme, "loopsafe.codeLens": "on" };
  inWindow(`lenses say where functions run, ${theme}`, settings, ORDERS, async (window) => {
    await window.squiggles("warning", 3);
    await lens(window, "event loop · 1 call blocks it");
    await window.picture("lenses");
    await window.page.locator(".codelens-decoration a").first().click();
    await treeFrom(window, "read_order", "psycopg.connect()");
  });
}

inWindow(
  "a helper says how many callers it blocks, and who they are",
  { "loopsafe.codeLens": "onlyProblems" },
  STORE,
  async (window) => {
    await lens(window, "blocks the loop: 1 caller");
    await window.page.locator(".codelens-decoration a").first().click();
    await window.page.locator(".peekview-widget").waitFor();
    await window.picture("callers");
  },
);

inWindow("without the setting there are no lenses", {}, ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  assert.equal(await window.page.locator(".codelens-decoration").count(), 0);
});

async function lens(window, text) {
  const found = window.page.locator(".codelens-decoration").filter({ hasText: text });
  await found.first().waitFor({ timeout: 60_000 });
}
