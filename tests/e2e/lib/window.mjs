/** Drives one window of VS Code as a person would: by keys, by the mouse, and by looking. */

import { mkdirSync } from "node:fs";
import * as path from "node:path";
import { ROOT } from "../../../scripts/lib/run.mjs";

/** Pictures and logs, kept whether the tests pass or not. */
export const ARTIFACTS = path.join(ROOT, "test-artifacts");
const PATIENCE_MS = Number(process.env.LOOPSAFE_PATIENCE ?? 60) * 1000;

export class Window {
  #pictures = 0;

  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  async close() {
    await this.page.close();
  }

  /** Goes to an address and waits until the editor shows text. */
  async open(address) {
    const empty = this.page.getByText("No Folder Opened");
    // Now and then it comes up without the folders of a workspace, and stays so.
    await eventually(async () => {
      await this.page.goto(address, { timeout: 120_000 });
      await this.page.locator(".monaco-editor .view-line").first().waitFor({ timeout: 120_000 });
      return empty.waitFor({ state: "hidden", timeout: 5_000 }).then(
        () => true,
        () => "no folder is opened",
      );
    });
  }

  /** A picture of the window, kept whether the test passes or not. */
  async picture(title) {
    mkdirSync(ARTIFACTS, { recursive: true });
    this.#pictures += 1;
    const file = path.join(ARTIFACTS, `${this.name}-${this.#pictures}-${title}.png`);
    await this.page.screenshot({ path: file });
    return file;
  }

  /** The underlined words, top down, once they are as many as expected. */
  async squiggles(kind, count) {
    await eventually(async () => {
      const found = await this.countSquiggles(kind);
      return found === count || `${found} squiggles of kind ${kind} instead of ${count}`;
    });
    return this.page.evaluate(wordsAbove, `.view-overlays .squiggly-${kind}`);
  }

  countSquiggles(kind) {
    return this.page.locator(`.view-overlays .squiggly-${kind}`).count();
  }

  /** What pops up when the mouse rests on a word. */
  async hover(word, expected) {
    const popup = this.page.locator(".monaco-hover:visible").filter({ hasText: expected });
    await eventually(async () => {
      await this.page.mouse.move(5, 5);
      await this.page.mouse.move(...(await this.place(word)), { steps: 4 });
      // The first move can be swallowed while the editor lays out.
      await popup.waitFor({ timeout: 3_000 }).catch(() => {});
      return (await popup.count()) > 0 || `no hover with ${expected} on ${word}`;
    });
    return plain(await popup.first().innerText());
  }

  /** Scrolls until a word is that near to the upper edge of the window. */
  async scrollUp(word, pixels) {
    await eventually(async () => {
      const [x, y] = await this.place(word);
      await this.page.mouse.move(x, y + 40);
      if (y > pixels) {
        await this.page.mouse.wheel(0, y - pixels);
      }
      return y <= pixels || `${word} is at ${y}`;
    });
  }

  /** Opens the Problems panel and gives its rows once one of them says what is expected. */
  async problems(expected) {
    const rows = this.page.locator(".markers-panel .monaco-list-row");
    await this.press("Control+Shift+M", () => this.page.locator(".markers-panel").isVisible());
    let texts = [];
    await eventually(async () => {
      texts = (await rows.allInnerTexts()).map(plain);
      return texts.some((text) => text.includes(expected)) || `no row with ${expected}: ${texts}`;
    });
    return texts;
  }

  /** Puts the caret into a word, opens the menu of Ctrl+. and gives its entries. */
  async quickFixes(word) {
    const rows = this.page.locator(".action-widget .monaco-list-row.action");
    await eventually(async () => {
      await this.page.keyboard.press("Escape");
      await this.page.mouse.click(...(await this.place(word)));
      await this.page.keyboard.press("Control+.");
      // A key right after a click can be swallowed.
      await rows
        .first()
        .waitFor({ timeout: 3_000 })
        .catch(() => {});
      return (await rows.count()) > 0 || `no menu of quick fixes on ${word}`;
    });
    return (await rows.allInnerTexts()).map(plain);
  }

  /** Chooses an entry of the open menu by the keyboard. */
  async choose(title) {
    const focused = this.page.locator(".action-widget .monaco-list-row.focused");
    for (let tries = 0; tries < 20; tries += 1) {
      if (plain(await focused.innerText()).includes(title)) {
        await this.page.keyboard.press("Enter");
        await focused.waitFor({ state: "hidden" });
        return;
      }
      await this.page.keyboard.press("ArrowDown");
    }
    throw new Error(`The menu has no entry ${title}`);
  }

  async save() {
    await this.press(
      "Control+S",
      async () => (await this.page.locator(".tab.active.dirty").count()) === 0,
    );
  }

  /** Runs a command of the palette by its title. */
  async command(title) {
    const input = this.page.locator(".quick-input-widget input");
    await this.press("F1", () => input.isVisible());
    await input.fill(`>${title}`);
    // The list comes up in steps, and Enter takes the row that is chosen then.
    const chosen = this.page.locator(".quick-input-list .monaco-list-row.focused");
    await chosen.filter({ hasText: title }).first().waitFor();
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** Opens a file of the folder as a person would, in the editor that is made for it. */
  async openFile(name) {
    const input = this.page.locator(".quick-input-widget input");
    const chosen = this.page.locator(".quick-input-list .monaco-list-row.focused");
    const wanted = chosen.filter({ hasText: path.basename(name) }).first();
    // What the folders held when the list came up is what it looks in until it is closed.
    await eventually(async () => {
      if (await input.isVisible()) {
        await this.press("Escape", () => input.isHidden());
      }
      await this.press("Control+P", () => input.isVisible());
      await input.fill(name);
      return wanted.waitFor({ timeout: 5000 }).then(
        () => true,
        () => `${name} is not offered`,
      );
    });
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** The lines behind the status bar's `{}`, once they say what is expected. */
  async status(expected) {
    const item = this.page.locator('.statusbar-item[id^="status.languageStatus"]').first();
    const popup = this.page.locator(".monaco-hover:visible").filter({ hasText: expected });
    await eventually(async () => {
      await this.page.mouse.move(5, 5);
      await item.hover();
      await popup.waitFor({ timeout: 3_000 }).catch(() => {});
      return (await popup.count()) > 0 || `the status does not say ${expected}`;
    });
    return plain(await popup.first().innerText());
  }

  /** What has popped up as a notification; there should be nothing. */
  notifications() {
    return this.page.locator(".notifications-toasts .notification-list-item").allInnerTexts();
  }

  /** The text of the active editor as far as it can be seen. */
  async text() {
    const lines = await this.page.evaluate(visibleLines);
    return lines.map(plain).join("\n");
  }

  /** Presses a key until it has had its effect. */
  press(key, happened) {
    return repeatedly(() => this.page.keyboard.press(key), happened, `${key} has no effect`);
  }

  /** Clicks until it has had its effect: a page that is just laid out can swallow a click. */
  click(target, happened) {
    return repeatedly(() => target.click(), happened, `a click on ${target} has no effect`);
  }

  /** Where the middle of a word is on the screen. */
  async place(word) {
    let found;
    await eventually(async () => {
      found = await this.page.evaluate(placeOf, word);
      return found !== undefined || `${word} cannot be seen`;
    });
    return found;
  }
}

/** Asks until the answer is true; the last other answer is the complaint. */
export async function eventually(ask, patience = PATIENCE_MS) {
  let answer = "never asked";
  for (const deadline = Date.now() + patience; Date.now() < deadline; ) {
    answer = await ask();
    if (answer === true) {
      return;
    }
    await pause(100);
  }
  throw new Error(`Not after ${patience / 1000} s: ${answer}`);
}

/** Acts until what is to come of it has happened, with a second or more between two attempts. */
function repeatedly(act, happened, complaint) {
  return eventually(async () => {
    await act();
    for (let tries = 0; tries < 10; tries += 1) {
      if (await happened()) {
        return true;
      }
      await pause(100);
    }
    return complaint;
  });
}

/** Monaco writes spaces as ones that do not break. */
function plain(text) {
  return text.replace(/\u00a0/g, " ").replace(/\u200b/g, "");
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// The rest runs in the page.

function placeOf(word) {
  for (const line of document.querySelectorAll(".monaco-editor .view-line")) {
    const nodes = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    const parts = [];
    let text = "";
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
      parts.push({ node, start: text.length });
      text += node.data.replace(/\u00a0/g, " ");
    }
    const middle = text.indexOf(word) + Math.floor(word.length / 2);
    if (text.includes(word)) {
      const part = parts.findLast((one) => one.start <= middle);
      const range = document.createRange();
      range.setStart(part.node, middle - part.start);
      range.setEnd(part.node, middle - part.start + 1);
      const box = range.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    }
  }
  return undefined;
}

function wordsAbove(selector) {
  const boxes = [...document.querySelectorAll(selector)].map((one) => one.getBoundingClientRect());
  boxes.sort((one, other) => one.y - other.y);
  return boxes.map((box) => {
    const y = box.y + box.height / 2;
    const start = document.caretRangeFromPoint(box.left + 1, y);
    const end = document.caretRangeFromPoint(box.right - 1, y);
    const range = document.createRange();
    range.setStart(start.startContainer, start.startOffset);
    range.setEnd(end.endContainer, end.endOffset);
    return range.toString();
  });
}

function visibleLines() {
  const lines = [...document.querySelectorAll(".editor-instance .view-line")];
  const top = (line) => line.getBoundingClientRect().y;
  return lines.sort((one, other) => top(one) - top(other)).map((line) => line.textContent);
}
