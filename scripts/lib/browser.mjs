/** Finds a Chromium to drive. */

import { existsSync } from "node:fs";

const USUAL = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

export const HOW_TO_GET_ONE =
  "install Chromium or Google Chrome (on Debian: apt-get install chromium), or name one by CHROMIUM";

/** Its path, or nothing. */
export function findChromium() {
  return [process.env.CHROMIUM, ...USUAL].find((program) => program && existsSync(program));
}
