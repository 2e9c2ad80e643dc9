/** `npm run bench`: runs the benchmark with the project's Python, passing the arguments on. */

import { main, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

main(async (args) => {
  await run(await python(DEVELOPMENT), ["scripts/bench.py", ...args]);
});
