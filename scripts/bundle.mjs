/** `npm run bundle`: makes server/loopsafe/bundle anew from requirements/bundle.txt. */

import { main, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

main(async () => {
  await run(await python(DEVELOPMENT), ["scripts/bundle.py"]);
});
