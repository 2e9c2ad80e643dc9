/** `npm run precision -- --python FOLDER`: how often derivation is right, by what was observed. */

import { main, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

main(async (args) => {
  await run(await python(DEVELOPMENT), ["scripts/precision.py", ...args]);
});
