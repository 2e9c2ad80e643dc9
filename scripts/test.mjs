/** `npm test`: everything, from a fresh checkout. Each step is named; the first failure ends it. */

import { readdirSync } from "node:fs";
import * as path from "node:path";
import { findChromium, HOW_TO_GET_ONE } from "./lib/browser.mjs";
import { buildLibraries, LIBRARIES } from "./lib/bundle.mjs";
import { layers, lint, types } from "./lib/checks.mjs";
import { buildClientTests } from "./lib/client.mjs";
import { installCodeServer } from "./lib/code-server.mjs";
import { Failure, main, ROOT, run, step } from "./lib/run.mjs";
import { DEVELOPMENT, nodePackages, python } from "./lib/setup.mjs";
import { buildVsix } from "./lib/vsix.mjs";

main(async () => {
  await step("Set up Node packages", nodePackages);
  const interpreter = await step("Set up Python", () => python(DEVELOPMENT));
  await step("Lint", lint);
  await step("Types", types);
  await step("Layers", layers);
  await step("Client tests", async () => nodeTests(await buildClientTests()));
  await step("Bundle the server", buildLibraries);
  await step("Libraries for the catalogue", () => run(interpreter, ["scripts/libraries.py"]));
  await step("Python tests", () => pythonTests(interpreter));
  await step("Soak, in short", () => soak(interpreter));
  await step("Demo in the terminal", () => run(process.execPath, ["scripts/demo.mjs", "--check"]));
  await endToEnd();
});

/** The tests of the language server run the one that the package carries. */
function pythonTests(interpreter) {
  const env = { ...process.env, LOOPSAFE_SERVER: LIBRARIES };
  return run(interpreter, ["-m", "pytest", "-q", "-n", "auto"], { env });
}

/** Five minutes of editing at ten times the speed; `npm run soak` plays two hours. */
function soak(interpreter) {
  const env = { ...process.env, LOOPSAFE_SERVER: LIBRARIES };
  const sample = path.join(ROOT, "examples", "shop");
  return run(interpreter, ["scripts/soak.py", sample, "--minutes", "5"], { env });
}

async function endToEnd() {
  const chromium = findChromium();
  const reason =
    process.platform === "win32"
      ? "code-server does not run on Windows"
      : chromium === undefined && `there is no Chromium: ${HOW_TO_GET_ONE}`;
  if (reason && process.env.CI) {
    throw new Failure(`The end-to-end test may not be skipped here, but ${reason}.`);
  }
  if (reason) {
    console.log(`\nEnd-to-end test skipped: ${reason}.`);
    return;
  }
  const vsix = await step("Package", buildVsix);
  await step("Set up VS Code", installCodeServer);
  const env = { ...process.env, CHROMIUM: chromium, LOOPSAFE_VSIX: vsix };
  await step("End-to-end tests in VS Code", () => nodeTests(files("tests/e2e", ".test.mjs"), env));
}

function nodeTests(tests, env = process.env) {
  return run(process.execPath, ["--test", "--test-reporter=spec", ...tests], { env });
}

function files(folder, ending) {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(ending));
  return names.map((name) => path.join(ROOT, folder, name));
}
