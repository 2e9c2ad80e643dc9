/** `npm run package`: builds `loopsafe-<version>.vsix`. */

import { main } from "./lib/run.mjs";
import { buildVsix } from "./lib/vsix.mjs";

main(async () => {
  await buildVsix();
});
