/** Wires the parts together. */

import * as vscode from "vscode";
import { Chains } from "./chain.ts";
import { ActiveEnvironments } from "./environment.ts";
import { Pages } from "./pages.ts";
import { SAMPLE } from "./sample.ts";
import { NOTEBOOK_CELL, Server } from "./server.ts";
import { Status } from "./status.ts";

const { t } = vscode.l10n;
const FIX_ALL = "source.fixAll.loopsafe";

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("Loopsafe", { log: true });
  const environments = new ActiveEnvironments(log);
  const server = new Server(context, log, environments);
  const chains = new Chains(server);
  const pages = new Pages(server, rules(context));
  const { registerCommand } = vscode.commands;
  context.subscriptions.push(
    log,
    environments,
    new Status(server, context.extension.packageJSON.version),
    pages,
    registerCommand("loopsafe.restart", () => server.restart()),
    registerCommand("loopsafe.showLogs", () => log.show()),
    registerCommand("loopsafe.fixAll", fixAll),
    registerCommand("loopsafe.showChain", (uri, position) => chains.show(uri, position)),
    registerCommand("loopsafe.goToRoot", (uri, position) => chains.goToRoot(uri, position)),
    registerCommand("loopsafe.showCallers", (uri, position, places) =>
      chains.showCallers(uri, position, places),
    ),
    registerCommand("loopsafe.openSample", openSample),
    registerCommand("loopsafe.explainRule", (code: unknown) => pages.explain(code)),
    registerCommand("loopsafe.debugInformation", () => pages.showDebugInformation()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("loopsafe.interpreter")) {
        void server.restart();
      }
    }),
    environments.onDidChange(() => environmentChanged(server)),
  );
  running = server;
  // Not awaited: activation ends at once, and a server that cannot start is told by the status item.
  void server.restart();
}

export function deactivate(): Promise<void> | undefined {
  return running?.stop();
}

/** A running server only has to look elsewhere; one that found no Python may find it now. */
function environmentChanged(server: Server): Promise<void> {
  return server.state.kind === "no-python" ? server.restart() : server.announceSettings();
}

/**
 * Fixes the active file, or the whole notebook of the active cell; from a page that is no editor,
 * as the walkthrough, the file that can be seen.
 */
async function fixAll(): Promise<void> {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const editor = [activeTextEditor, ...visibleTextEditors].find(
    (one) => one?.document.languageId === "python",
  );
  if (!editor) {
    return;
  }
  const { document, selection } = editor;
  // Not by VS Code's own command, which knows the focused editor only, and nothing of notebooks.
  const [action] = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    document.uri,
    selection,
    document.uri.scheme === NOTEBOOK_CELL ? `notebook.${FIX_ALL}` : FIX_ALL,
    1,
  );
  if (!(action?.edit && (await vscode.workspace.applyEdit(action.edit)))) {
    vscode.window.setStatusBarMessage(t("Loopsafe: nothing here can be fixed safely"), 4_000);
  }
}

/** A file that is not saved: whoever tries things out in it leaves nothing behind. */
async function openSample(): Promise<void> {
  const sample = { language: "python", content: SAMPLE };
  const document = await vscode.workspace.openTextDocument(sample);
  // Beside the walkthrough, whose next step is about it.
  const { Active, Beside } = vscode.ViewColumn;
  await vscode.window.showTextDocument(document, vscode.window.activeTextEditor ? Active : Beside);
}

/** The rules are listed once, in the manifest. */
function rules(context: vscode.ExtensionContext): string[] {
  const settings = context.extension.packageJSON.contributes.configuration.properties;
  return Object.keys(settings["loopsafe.severity"].properties);
}
