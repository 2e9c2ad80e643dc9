/** `npm run soak`: hours of editing played faster than life, on the server as the package carries it. */

import { buildLibraries, LIBRARIES } from "./lib/bundle.mjs";
import { main, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

main(async (args) => {
  await buildLibraries();
  const env = { ...process.env, LOOPSAFE_SERVER: LIBRARIES };
  await run(await python(DEVELOPMENT), ["scripts/soak.py", ...args], { env });
});
