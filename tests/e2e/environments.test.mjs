/** Several projects, each with its environment: in one folder, and in a workspace of folders. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { python, RUNTIME } from "../../scripts/lib/setup.mjs";
import { TIMEOUT, VsCode } from "./lib/vscode.mjs";

const HELPER = "import time\n\n\ndef load():\n    time.sleep(1)\n";
const CALLER = "from helper import load\n\n\nasync def main():\n    load()\n";

let vscode;
before(async () => {
  vscode = await VsCode.start("environments");
});
after(() => vscode?.stop());

/** A folder with a project whose environment has a package, whose function blocks or does not. */
async function project(folder, name, helper) {
  const place = path.join(folder.path, name);
  folder.write(`${name}/pyproject.toml`, `[project]\nname = "${name}"\nversion = "1"\n`);
  folder.write(`${name}/${name}.py`, CALLER);
  const environment = path.join(place, ".venv");
  execFileSync(await python(RUNTIME), ["-m", "venv", "--without-pip", environment]);
  const [packages] = execFileSync(path.join(environment, "bin", "python"), [
    "-c",
    "import sysconfig; print(sysconfig.get_path('purelib'))",
  ])
    .toString()
    .split("\n");
  folder.write(path.relative(folder.path, path.join(packages, "helper.py")), helper);
  return place;
}

test(
  "the status names the environment of each file, and each is analysed in it",
  TIMEOUT,
  async () => {
    const folder = vscode.sample({ "loopsafe.codeLens": "on" });
    await project(folder, "blocks", HELPER);
    await project(folder, "quiet", "def load():\n    return 1\n");
    await vscode.show("environments", folder, "blocks/blocks.py", async (window) => {
      assert.deepEqual(await window.squiggles("warning", 1), ["load"]);
      await window.status(/Python 3\.\d+ \(blocks\/\.venv\)/);
      await window.picture("blocks");
      await window.openFile("quiet/quiet.py");
      await window.status(/no findings.*Python 3\.\d+ \(quiet\/\.venv\)/s);
      await window.squiggles("warning", 0);
      await window.picture("quiet");
    });
  },
);

test(
  "folders of a workspace have their own settings and environments, and one server",
  TIMEOUT,
  async () => {
    const folder = vscode.sample();
    await project(folder, "one", HELPER);
    await project(folder, "two", HELPER);
    const settings = { "loopsafe.severity": { "blocking-sleep": "error" } };
    folder.write("two/.vscode/settings.json", JSON.stringify(settings));
    const folders = ["one", "two"].map((name) => ({ path: path.join(folder.path, name) }));
    const workspace = folder.write("all.code-workspace", JSON.stringify({ folders }));
    const before = vscode.servers();
    const window = await vscode.workspace(
      "folders",
      workspace,
      path.join(folder.path, "one/one.py"),
    );
    try {
      await window.squiggles("warning", 1);
      await window.status(/Python 3\.\d+ \(\.venv\)/);
      await window.openFile("two/two.py");
      await window.squiggles("error", 1);
      await window.picture("two");
      assert.equal(vscode.servers().filter((id) => !before.includes(id)).length, 1);
      assert.deepEqual(await window.notifications(), []);
    } finally {
      await window.picture("end");
      await window.close();
    }
  },
);
