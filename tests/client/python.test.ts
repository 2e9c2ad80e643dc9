/** Which Python runs the server: the order, the failures, and what may never be started. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";
import {
  candidates,
  expand,
  expandPath,
  find,
  type Surroundings,
  serverArguments,
} from "../../client/src/python.ts";

const home = mkdtempSync(path.join(tmpdir(), "loopsafe-client-"));
after(() => rmSync(home, { recursive: true, force: true }));
const posixOnly = { skip: process.platform === "win32" && "shell scripts stand for Python" };

/** A program that answers as Python does, or as it does not. */
function program(folder: string, name: string, script: string): string {
  mkdirSync(path.join(home, folder), { recursive: true });
  const file = path.join(home, folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

function surroundings(...onPath: string[]): Surroundings {
  const PATH = onPath.map((folder) => (folder === "." ? "." : path.join(home, folder))).join(":");
  return {
    folders: [
      { name: "shop", path: path.join(home, "shop") },
      { name: "bank", path: path.join(home, "bank") },
    ],
    environment: { PATH, VENVS: "/srv/venvs" },
    home,
  };
}

test("variables in settings are expanded", () => {
  const around = surroundings();
  const shop = path.join(home, "shop");
  assert.equal(expand("~/bin/python", around), path.join(home, "bin/python"));
  assert.equal(expand("${userHome}/x", around), `${home}/x`);
  assert.equal(expand("${workspaceFolder}/.venv", around), `${shop}/.venv`);
  assert.equal(expand("${workspaceFolder:bank}/.venv", around), `${path.join(home, "bank")}/.venv`);
  assert.equal(expand("${workspaceFolder:inn}/.venv", around), "${workspaceFolder:inn}/.venv");
  assert.equal(expand("${env:VENVS}/a${env:NOTHING}", around), "/srv/venvs/a");
  assert.equal(expand("a~b", around), "a~b");
  assert.equal(expandPath(".venv", around), path.join(shop, ".venv"));
  assert.equal(expandPath("", around), "");
  assert.equal(expandPath(".venv", { ...around, folders: [] }), ".venv");
});

test("a replacement that looks like a pattern is taken as it is", () => {
  const around = { ...surroundings(), environment: { PRICE: "$&$1" } };
  assert.equal(expand("${env:PRICE}", around), "$&$1");
});

test("the setting comes before the Python extension, and both before PATH", posixOnly, () => {
  const onPath = program("order", "python3", "");
  const around = surroundings("order");
  const found = candidates(
    ["${workspaceFolder}/.venv/bin/python", "-E"],
    "/active",
    around,
    "linux",
  );
  assert.deepEqual(found, [
    {
      program: path.join(home, "shop/.venv/bin/python"),
      prefix: ["-E"],
      origin: "loopsafe.interpreter",
    },
    { program: "/active", prefix: [], origin: "the Python extension" },
    { program: onPath, prefix: [], origin: "PATH" },
  ]);
});

test("every program of the usual names is a candidate, in the order of PATH", posixOnly, () => {
  const expected = [
    program("first", "python3", ""),
    program("second", "python3", ""),
    program("second", "python", ""),
    program("first", "python3.13", ""),
    program("first", "python3.10", ""),
  ];
  program("first", "python3.9", "");
  mkdirSync(path.join(home, "first", "python"), { recursive: true });
  const found = candidates([], undefined, surroundings("first", "second", "first"), "linux");
  assert.deepEqual(
    found.map((one) => one.program),
    expected,
  );
});

test(
  "a relative entry of PATH is passed over: it would name a program of the workspace",
  posixOnly,
  () => {
    const before = process.cwd();
    program("workspace", "python3", "");
    process.chdir(path.join(home, "workspace"));
    try {
      assert.deepEqual(candidates([], undefined, surroundings("."), "linux"), []);
    } finally {
      process.chdir(before);
    }
  },
);

test(
  "the first that is new enough is taken, and the others say what was wrong",
  posixOnly,
  async () => {
    const silent = program("silent", "python3", "exit 0");
    const mute = program("mute", "python3", "exit 3");
    const file = path.join(home, "notes.txt");
    writeFileSync(file, "");
    const broken = program(
      "broken",
      "python3",
      'echo "pyenv: python3: command not found" >&2; exit 127',
    );
    const old = program("old", "python3", "printf 3.9.18");
    const good = program("good", "python3", "printf 3.12.1");
    program("late", "python3", "printf 3.13.0");
    const around = surroundings("mute", "silent", "broken", "old", "good", "late");
    const { interpreter, failures } = await find([
      ...candidates(["/nowhere/python"], undefined, surroundings(), "linux"),
      ...candidates([file], undefined, around, "linux"),
    ]);
    assert.deepEqual(interpreter, { program: good, prefix: [], origin: "PATH", version: "3.12.1" });
    assert.deepEqual(failures, [
      "/nowhere/python (loopsafe.interpreter): no such file",
      `${file} (loopsafe.interpreter): is no program`,
      `${mute} (PATH): ends with exit code 3`,
      `${silent} (PATH): does not answer like Python`,
      `${broken} (PATH): pyenv: python3: command not found`,
      `${old} (PATH) is Python 3.9.18`,
    ]);
  },
);

test("3.10 is new enough, and so is a 4", posixOnly, async () => {
  for (const version of ["3.10.0", "3.14.2", "4.0.0"]) {
    program(version, "python3", `printf ${version}`);
    const { interpreter } = await find(candidates([], undefined, surroundings(version), "linux"));
    assert.equal(interpreter?.version, version);
  }
});

test("nothing found is an answer", async () => {
  assert.deepEqual(await find([]), { interpreter: undefined, failures: [] });
});

test("a real Python is asked without loading anything of the user's", posixOnly, async () => {
  program("asked", "python3", `echo "$@" > "${home}/asked.txt"; printf 3.11.0`);
  await find(candidates([], undefined, surroundings("asked"), "linux"));
  assert.match(readFileSync(path.join(home, "asked.txt"), "utf8"), /^-I -S -c import sys/);
});

test("the server is started shut off from everything but its own folder", () => {
  const interpreter = { program: "py", prefix: ["-3"], version: "3.12.1", origin: "PATH" } as const;
  assert.deepEqual(serverArguments(interpreter, "/ext/bundled/libs", "/storage/pycache"), [
    "-3",
    "-I",
    "-S",
    "-X",
    "utf8",
    "-X",
    "pycache_prefix=/storage/pycache",
    "/ext/bundled/libs",
    "server",
  ]);
});
