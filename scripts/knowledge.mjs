/** `npm run knowledge`: checks the catalogue, and nothing else, against the libraries it is about. */

import { readdirSync } from "node:fs";
import * as path from "node:path";
import { main, ROOT, run } from "./lib/run.mjs";
import { DEVELOPMENT, python } from "./lib/setup.mjs";

const TESTS = /^test_(knowledge.*|catalogue)\.py$/;

main(async (args) => {
  const names = readdirSync(path.join(ROOT, "tests")).filter((name) => TESTS.test(name));
  const files = names.map((name) => path.join("tests", name));
  await run(await python(DEVELOPMENT), ["-m", "pytest", "-q", ...files, ...args]);
});
