/** `npm run package`: builds `loopsafe-<version>.vsix`. */

import * as path from "node:path";
import { main, step } from "./lib/run.mjs";
import { buildVsix } from "./lib/vsix.mjs";

main(async () => {
  const vsix = await step("Build the extension", buildVsix);
  console.log(`\nInstall it with: code --install-extension ${path.relative(process.cwd(), vsix)}`);
});
