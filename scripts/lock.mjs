/** `npm run lock`: writes the Python lock files anew from pyproject.toml. */

import { main, run } from "./lib/run.mjs";
import {
  BUNDLE,
  DEVELOPMENT,
  LIBRARIES,
  PIP_INSTALL,
  RUNTIME,
  virtualEnvironment,
} from "./lib/setup.mjs";

const UV = "uv==0.13.9";
const COMMON = ["--python-version", "3.10", "--generate-hashes", "--no-annotate", "--upgrade"];
const NAME = ["--custom-compile-command", "npm run lock"];

main(async () => {
  const interpreter = await virtualEnvironment();
  await run(interpreter, [...PIP_INSTALL, UV]);
  const uv = (...args) => run(interpreter, ["-m", "uv", "pip", "compile", "--quiet", ...args]);
  const compile = (...args) => uv("pyproject.toml", ...COMMON, ...NAME, ...args);
  // The bundle is made on any machine for every other: no markers, so the oldest Python decides.
  await compile("-o", RUNTIME);
  const tested = ["tests/knowledge/requirements.txt", "tests/fixes/requirements.txt"];
  const development = ["--universal", "--group", "dev", ...tested];
  await compile(...development, "-c", RUNTIME, "-o", DEVELOPMENT);
  // Only read, so they come without what they depend on.
  const read = ["tests/knowledge/libraries.txt", "--no-deps", "--python-version", "3.11"];
  await uv(...read, "--universal", "--generate-hashes", "--no-annotate", ...NAME, "-o", LIBRARIES);
  const carried = ["requirements/bundle.in", "--no-deps", "--python-version", "3.12", "--upgrade"];
  await uv(...carried, "--universal", "--generate-hashes", "--no-annotate", ...NAME, "-o", BUNDLE);
});
