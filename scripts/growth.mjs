/** `npm run growth`: runs the benchmark on ever more of a project, passing the arguments on. */

import { main, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

main(async (args) => {
  await run(await python(DEVELOPMENT), ["scripts/growth.py", ...args]);
});
