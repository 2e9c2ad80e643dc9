/** The part of the Python extension that others use: it starts late, and says the same thing twice. */

const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const LATE_MS = 1_500;

exports.activate = async (context) => {
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  const changed = new vscode.EventEmitter();
  const watcher = vscode.workspace.createFileSystemWatcher("**/selected-python.txt");
  const tell = () => {
    changed.fire({});
    changed.fire({});
  };
  context.subscriptions.push(
    changed,
    watcher,
    watcher.onDidChange(tell),
    watcher.onDidCreate(tell),
  );
  return {
    environments: {
      getActiveEnvironmentPath: (resource) => ({ path: selected(resource) }),
      resolveEnvironment: async ({ path: program }) =>
        program ? { executable: { uri: vscode.Uri.file(program) } } : undefined,
      onDidChangeActiveEnvironmentPath: changed.event,
    },
  };
};

function selected(resource) {
  const folder = resource
    ? vscode.workspace.getWorkspaceFolder(resource)
    : vscode.workspace.workspaceFolders?.[0];
  const file = folder && path.join(folder.uri.fsPath, "selected-python.txt");
  return file && fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
}
