/** The main job in a real VS Code: see the finding, read why, fix it, save. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { writeAnimation } from "../../scripts/lib/animation.mjs";
import { ROOT } from "../../scripts/lib/run.mjs";
import { TIMEOUT, VsCode } from "./lib/vscode.mjs";
import { ARTIFACTS } from "./lib/window.mjs";

const ORDERS = "shop/api/orders.py";
const CHAIN = "load_order() blocks the event loop through psycopg.connect(), 2 calls down";

let vscode;
let folder;
before(async () => {
  vscode = await VsCode.start("editor");
});
after(() => vscode?.stop());
beforeEach(() => {
  folder = vscode.sample();
});

function inWindow(title, file, work) {
  test(title, TIMEOUT, () => vscode.show(title, folder, file, work));
}

inWindow("calls that block are underlined, direct ones and deep ones", ORDERS, async (window) => {
  const words = await window.squiggles("warning", 3);
  assert.deepEqual(words, ["load_order", "requests.get", "time.sleep"]);
});

inWindow("calls that do not block are not underlined", "shop/api/products.py", async (window) => {
  // The environment is named once the file has been analysed.
  await window.status(/Loopsafe: no findings.*no Python environment/s);
  assert.deepEqual(await window.squiggles("warning", 0), []);
});

inWindow("a hover says why, and shows the chain", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  // The last part comes from the server: why, and what to do instead.
  const text = await window.hover("load_order(", "Instead");
  assert.ok(text.includes(CHAIN), text);
  assert.match(text, /ordering\.py\(12, \d+\): load_order calls order_store\.fetch_order\(\)/);
  assert.match(text, /FastAPI runs this async def endpoint on the event loop/);
  assert.match(text, /order_store\.py\(10, \d+\): fetch_order calls psycopg\.connect\(\)/);
  assert.match(text, /Quick fix: Run load_order\(\) in a thread .* must be thread-safe\./);
  assert.match(text, /blocking-database · Show blocking chain · Go to root/);
});

inWindow("the picture of the README is what a user sees", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.page.setViewportSize({ width: 1000, height: 640 });
  await window.page.keyboard.press("Control+B");
  await window.scrollUp("load_order(", 180);
  await window.hover("load_order(", "Instead");
  const file = await window.picture("finding");
  if (process.env.UPDATE_SCREENSHOT) {
    copyFileSync(file, path.join(ROOT, "docs", "images", "finding.png"));
  }
});

inWindow("the animation of the README is what a user sees", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.page.setViewportSize({ width: 960, height: 600 });
  await window.scrollUp("@router.get", 320);
  const frames = [];
  const frame = async (title, milliseconds) =>
    frames.push({ file: await window.picture(title), milliseconds });
  await frame("seen", 1_500);
  await window.hover("load_order(", "Instead");
  await frame("why", 5_000);
  await window.page.mouse.move(5, 5);
  await window.quickFixes("load_order(");
  await frame("offered", 2_500);
  await window.choose("Show blocking chain");
  await window.page.locator(".sidebar").getByText("psycopg.connect()").waitFor();
  await frame("chain", 4_000);
  await window.quickFixes("load_order(");
  await window.choose("Run load_order() in a thread");
  await window.squiggles("warning", 2);
  await frame("cured", 3_000);
  const made = path.join(ARTIFACTS, "tour.png");
  writeAnimation(made, frames);
  assert.ok(statSync(made).size < 400_000, "the animation is too large for a README");
  if (process.env.UPDATE_SCREENSHOT) {
    copyFileSync(made, path.join(ROOT, "docs", "images", "tour.png"));
  }
});

inWindow("the Problems panel shows the chain, hop by hop", ORDERS, async (window) => {
  const rows = await window.problems("fetch_order calls psycopg.connect()");
  const start = rows.findIndex((row) => row.includes(CHAIN));
  assert.ok(start >= 0, rows.join("\n"));
  const hops = rows.slice(start + 1, start + 4);
  assert.match(hops[0], /^orders\.py\s*\[Ln 18, Col 13\]\s*:\s*read_order calls load_order\(\)/);
  assert.match(hops[1], /^ordering\.py\s*\[Ln 12, Col 13\]\s*:\s*load_order calls order_store/);
  assert.match(hops[2], /^order_store\.py\s*\[Ln 10, Col 10\]\s*:\s*fetch_order calls psycopg/);
});

inWindow("a quick fix is applied, saved, and the squiggle goes", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  const titles = await window.quickFixes("time.sleep");
  await window.picture("menu");
  assert.equal(titles[0], "Loopsafe: Use await asyncio.sleep()");
  await window.choose("Use await asyncio.sleep()");
  assert.deepEqual(await window.squiggles("warning", 2), ["load_order", "requests.get"]);
  const before = folder.read(ORDERS);
  await window.save();
  const expected = before
    .replace("import time\n", "import asyncio\n")
    .replace("time.sleep", "await asyncio.sleep");
  assert.equal(folder.read(ORDERS), expected);
});

inWindow("the deep call is cured where the loop enters the chain", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.quickFixes("load_order(");
  await window.choose("Run load_order() in a thread");
  assert.deepEqual(await window.squiggles("warning", 2), ["requests.get", "time.sleep"]);
  await window.save();
  assert.match(
    folder.read(ORDERS),
    /order = await (asyncio\.to_thread|run_in_threadpool)\(load_order, order_id\)/,
  );
});

inWindow("fix all applies what is safe, and the file still parses", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.command("Loopsafe: Fix All");
  assert.deepEqual(await window.squiggles("warning", 1), ["load_order"]);
  await window.save();
  const text = folder.read(ORDERS);
  assert.match(text, /await asyncio\.sleep\(0\.5\)/);
  assert.match(text, /\(await (asyncio\.to_thread|run_in_threadpool)\(requests\.get, /);
  execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: text });
});

inWindow("findings stay while a line is half typed, and follow it", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.page.mouse.click(...(await window.place("order = load_order")));
  await window.page.keyboard.press("Home");
  await window.page.keyboard.type("if order_id.\ntime.sleep(1)\n");
  const words = await window.squiggles("warning", 4);
  assert.deepEqual(words, ["time.sleep", "load_order", "requests.get", "time.sleep"]);
});

inWindow("a rule is explained without a network", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.page.mouse.click(...(await window.place("time.sleep")));
  await window.command("Loopsafe: Explain Rule");
  const page = window.page.frameLocator("iframe.webview").frameLocator("iframe");
  await page.getByRole("heading", { name: "blocking-sleep" }).waitFor();
});

inWindow("debug information can be copied", ORDERS, async (window) => {
  await window.squiggles("warning", 3);
  await window.command("Loopsafe: Debug Information");
  await window.place("Loopsafe 0.");
});
