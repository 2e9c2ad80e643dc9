/**
 * `npm run mutants`: shows that the end-to-end test can fail. Each mutant is the extension with one
 * thing broken; the test of that thing must notice.
 */

import * as fs from "node:fs";
import * as path from "node:path";
import { capture, Failure, main, ROOT, step } from "../../scripts/lib/run.mjs";
import { buildVsix, pack } from "../../scripts/lib/vsix.mjs";

const HOME = path.join(ROOT, "build", "mutants");
const TESTS = path.join(ROOT, "tests/e2e/editor.test.mjs");
const PACKED = ["package.json", "package.nls.json", "LICENSE", "README.md", ".vscodeignore"];

const MUTANTS = {
  "nothing is found": {
    noticedBy: "calls that block are underlined",
    change: `
report = Engine.report
Engine.report = lambda *args, **more: replace(report(*args, **more), findings=())
`,
  },
  "one finding too many": {
    noticedBy: "calls that do not block are not underlined",
    change: `
from loopsafe.model import Cost, Finding, Severity, Span
report = Engine.report
def wrong(self, path, *args, **more):
    finding = Finding(path, Span(1, 0, 1, 3), "blocking-http", "http", Cost.STALL, Severity.WARNING, "?", "?")
    return replace(report(self, path, *args, **more), findings=(finding,))
Engine.report = wrong
`,
  },
  "chains are lost": {
    noticedBy: "the Problems panel shows the chain",
    change: `
report = Engine.report
def short(*args, **more):
    found = report(*args, **more)
    return replace(found, findings=tuple(replace(one, chain=()) for one in found.findings))
Engine.report = short
`,
  },
  "hovers say nothing": {
    noticedBy: "a hover says why",
    change: `
from loopsafe.lsp import hover
hover.hover_at = lambda *args: None
`,
  },
  "fixes write something else": {
    noticedBy: "a quick fix is applied",
    change: `
fixes = Engine.fixes
def wrong(*args):
    return tuple(
        replace(fix, edits=tuple(replace(edit, content=edit.content + " ") for edit in fix.edits))
        for fix in fixes(*args)
    )
Engine.fixes = wrong
`,
  },
};

main(async () => {
  const healthy = await step("Package", buildVsix);
  const titles = Object.values(MUTANTS).map((mutant) => mutant.noticedBy);
  await step("Without a mutation", async () => {
    for (const title of titles) {
      expect(await verdict(healthy, title), true);
    }
  });
  for (const [title, mutant] of Object.entries(MUTANTS)) {
    await step(`Mutant: ${title}`, () => mustBeNoticed(title, mutant));
  }
});

async function mustBeNoticed(title, { noticedBy, change }) {
  const folder = path.join(HOME, title.replaceAll(" ", "-"));
  fs.rmSync(folder, { recursive: true, force: true });
  for (const name of [...PACKED, "client/dist", "client/icon.png", "bundled"]) {
    const source = path.join(ROOT, name);
    if (fs.existsSync(source)) {
      fs.cpSync(source, path.join(folder, name), { recursive: true });
    }
  }
  const entry = path.join(folder, "bundled/libs/__main__.py");
  const broken = `from dataclasses import replace\nfrom loopsafe.engine import Engine\n${change}\n`;
  fs.writeFileSync(entry, broken + fs.readFileSync(entry, "utf8"));
  const vsix = await pack(folder, `${folder}.vsix`);
  expect(await verdict(vsix, noticedBy), false);
}

/** The line in which the test runner says how a test of the end-to-end test ended. */
async function verdict(vsix, title) {
  const args = ["--test", "--test-reporter=tap", `--test-name-pattern=${title}`, TESTS];
  const env = { ...process.env, LOOPSAFE_VSIX: vsix };
  const { output } = await capture(process.execPath, args, { env });
  const lines = output.split("\n").filter((line) => /^(not )?ok /.test(line));
  return lines.find((line) => line.includes(title)) ?? output;
}

function expect(line, good) {
  if (line.startsWith("ok ") !== good || line.includes("# SKIP")) {
    throw new Failure(`Expected to ${good ? "pass" : "fail"}: ${line}`);
  }
  console.log(`As it should be: ${line}`);
}
