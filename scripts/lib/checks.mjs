/** The static checks of both languages. */

import { run } from "./run.mjs";
import { DEVELOPMENT, nodePackages, nodeProgram, python } from "./setup.mjs";

export async function lint() {
  const interpreter = await python(DEVELOPMENT);
  await nodePackages();
  await run(interpreter, ["-m", "ruff", "check"]);
  await run(interpreter, ["-m", "ruff", "format", "--check"]);
  const biome = nodeProgram("@biomejs", "biome", "bin", "biome");
  await run(process.execPath, [biome, "ci", "--error-on-warnings"]);
}

export async function types() {
  const interpreter = await python(DEVELOPMENT);
  await nodePackages();
  await run(interpreter, ["-m", "mypy"]);
  await run(process.execPath, [nodeProgram("typescript", "bin", "tsc"), "--project", "client"]);
}

export async function layers() {
  const interpreter = await python(DEVELOPMENT);
  await run(interpreter, [
    "-c",
    "from importlinter.cli import lint_imports_command; lint_imports_command()",
  ]);
}
