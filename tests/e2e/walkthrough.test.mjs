/** The first minute: the walkthrough, its sample, and what its buttons do. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { THEMES, TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { eventually } from "./lib/window.mjs";

let vscode;
before(async () => {
  vscode = await VsCode.start("walkthrough");
});
after(() => vscode?.stop());

for (const theme of THEMES) {
  test(`the walkthrough leads from the sample to its cure, ${theme}`, TIMEOUT, async () => {
    const folder = vscode.sample({ "workbench.colorTheme": theme });
    await vscode.show(`walkthrough ${theme}`, folder, "README.md", async (window) => {
      const { page } = window;
      await page.setViewportSize({ width: 1600, height: 900 });
      await openWalkthrough(window);
      await window.press("Control+B", async () => !(await page.locator(".sidebar").isVisible()));
      await shown(page, "What blocks is underlined");
      await window.picture("see");
      await page.getByText("Fix it", { exact: true }).click();
      await shown(page, "One key mends it", "img");
      await window.picture("fix");
      await page.getByText("See what blocks", { exact: true }).click();

      await page.getByRole("button", { name: "Open the sample" }).click();
      assert.deepEqual(await window.squiggles("warning", 2), ["load_rate", "time.sleep"]);
      await window.picture("sample");
      await page.getByText("Fix it", { exact: true }).click();
      const cure = page.getByRole("button", { name: "Fix all safe findings" });
      await window.click(cure, async () => (await window.countSquiggles("warning")) === 0);
      await window.picture("fixed");
    });
  });
}

async function openWalkthrough(window) {
  const { page } = window;
  const input = page.locator(".quick-input-widget input");
  await window.press("F1", () => input.isVisible());
  const choose = async (text, title) => {
    await input.fill(text);
    const chosen = page.locator(".quick-input-list .monaco-list-row.focused");
    await chosen.filter({ hasText: title }).first().waitFor();
    await page.keyboard.press("Enter");
  };
  await choose(">Welcome: Open Walkthrough", "Open Walkthrough");
  await page.locator('.quick-input-widget input[placeholder*="walkthrough"]').waitFor();
  await choose("Loopsafe", "Get started with Loopsafe");
  await page.getByRole("button", { name: "Open the sample" }).waitFor();
}

/** Waits until the page beside the steps has a heading, and an image its pixels. */
async function shown(page, heading, image) {
  const isShown = ([text, selector]) => {
    const one = selector ? document.querySelector(selector) : undefined;
    const isThere = !selector || (one?.complete && one.naturalWidth > 0);
    return isThere && (document.body?.innerText ?? "").includes(text);
  };
  await eventually(async () => {
    for (const frame of page.frames().slice(1)) {
      if (await frame.evaluate(isShown, [heading, image]).catch(() => false)) {
        return true;
      }
    }
    return `no page ${heading} beside the steps`;
  });
}
