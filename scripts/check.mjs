/** `npm run check`: the static checks. `npm run lint` does only the first of them. */

import { layers, lint, types } from "./lib/checks.mjs";
import { main, step } from "./lib/run.mjs";

main(async ([only]) => {
  await step("Lint", lint);
  if (only !== "lint") {
    await step("Types", types);
    await step("Layers", layers);
  }
});
