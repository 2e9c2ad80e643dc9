/** The manifest agrees with the code and with itself. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const root = process.cwd();
const read = (file: string) => readFileSync(path.join(root, file), "utf8");
const manifest = JSON.parse(read("package.json"));
const texts = JSON.parse(read("package.nls.json"));
const client = readdirSync(path.join(root, "client/src")).map((name) => read(`client/src/${name}`));
const settings: Record<string, { scope: string; enum?: string[] }> =
  manifest.contributes.configuration.properties;

test("every text of the manifest is written, and none in vain", () => {
  const used = [...read("package.json").matchAll(/"%([^%]+)%"/g)].map((match) => match[1]);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(texts).sort());
});

test("every command is registered", () => {
  const declared = manifest.contributes.commands.map((one: { command: string }) => one.command);
  const registered = client.flatMap((source) =>
    [...source.matchAll(/registerCommand\(\s*"([^"]+)"/g)].map((match) => match[1]),
  );
  assert.deepEqual(registered.sort(), declared.sort());
});

test("the rules of the settings are the rules that have a page", () => {
  const pages = readdirSync(path.join(root, "server/loopsafe/rules"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.replace(/\.md$/, ""));
  const severity = manifest.contributes.configuration.properties["loopsafe.severity"];
  assert.deepEqual(Object.keys(severity.properties).sort(), pages.sort());
  for (const name of ["loopsafe.select", "loopsafe.ignore"]) {
    assert.deepEqual(
      manifest.contributes.configuration.properties[name].items.enum,
      Object.keys(severity.properties),
    );
  }
});

test("settings that name programs and paths are guarded in workspaces that are not trusted", () => {
  const guarded = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
  const overridable = Object.keys(settings).filter(
    (name) => settings[name]?.scope === "machine-overridable",
  );
  assert.deepEqual(guarded.sort(), overridable.sort());
});

test("no other extension is needed, and it runs where the workspace is", () => {
  assert.equal(manifest.extensionDependencies, undefined);
  assert.deepEqual(manifest.extensionKind, ["workspace"]);
  assert.equal(manifest.capabilities.untrustedWorkspaces.supported, "limited");
  assert.equal(manifest.capabilities.virtualWorkspaces.supported, false);
});

test("it wakes up for Python only", () => {
  assert.deepEqual(manifest.activationEvents, ["onLanguage:python", "onNotebook:jupyter-notebook"]);
});

test("files that are named exist and are packed", () => {
  const steps = manifest.contributes.walkthroughs.flatMap(
    (one: { steps: { media: { markdown: string } }[] }) => one.steps,
  );
  const pages: string[] = steps.map((step: { media: { markdown: string } }) => step.media.markdown);
  const pictures = pages.flatMap((page) =>
    [...read(page).matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map((match) =>
      path.join(path.dirname(page), match[1] ?? ""),
    ),
  );
  assert.ok(pictures.length > 0);
  const packed = read(".vscodeignore").split("\n");
  for (const file of [manifest.icon, ...pages, ...pictures]) {
    assert.ok(existsSync(path.join(root, file)), file);
    const patterns = [`!${file}`, `!${path.dirname(file)}/*${path.extname(file)}`];
    assert.ok(
      patterns.some((pattern) => packed.includes(pattern)),
      `${file} is not packed`,
    );
  }
});

test("no text is put together from parts that a translator could not move", () => {
  for (const source of client) {
    for (const [, text] of source.matchAll(/\bt\(\s*[`"]([^`"]*)[`"]/g)) {
      assert.ok(!text?.includes("${"), text);
    }
  }
});

test("the version is that of the Python package", () => {
  const [, version] = /__version__ = "([^"]+)"/.exec(read("server/loopsafe/__init__.py")) ?? [];
  assert.equal(manifest.version, version);
});
