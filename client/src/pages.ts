/** Read-only Markdown pages that the server writes: the explanation of a rule, debug information. */

import * as vscode from "vscode";
import type { Server } from "./server.ts";

const SCHEME = "loopsafe";
const DEBUG = "debug-information";

export class Pages implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(
    SCHEME,
    this,
  );

  readonly onDidChange = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly rules: readonly string[],
  ) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const name = uri.path.slice(1).replace(/\.md$/, "");
    const markdown =
      name === DEBUG
        ? await this.server.ask<string>("loopsafe/debugInformation", {})
        : await this.server.ask<string>("loopsafe/explain", { code: name });
    return markdown ?? "Nothing is known of it. See *Loopsafe: Show Logs*.\n";
  }

  /** Shows what a rule is about: the given one, the one under the caret, or one that is picked. */
  async explain(code: unknown): Promise<void> {
    const rule = typeof code === "string" ? code : (ruleAtCaret() ?? (await this.pick()));
    if (rule) {
      await vscode.commands.executeCommand("markdown.showPreview", this.page(rule));
    }
  }

  async showDebugInformation(): Promise<void> {
    const page = this.page(DEBUG);
    this.changed.fire(page);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(page));
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  private page(name: string): vscode.Uri {
    return vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md` });
  }

  private pick(): Thenable<string | undefined> {
    return vscode.window.showQuickPick(this.rules, { placeHolder: vscode.l10n.t("Which rule?") });
  }
}

function ruleAtCaret(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  const found = editor ? vscode.languages.getDiagnostics(editor.document.uri) : [];
  const own = found.find(
    (one) =>
      one.source === "loopsafe" && one.range.contains(editor?.selection.active ?? one.range.end),
  );
  const code = typeof own?.code === "object" ? own.code.value : own?.code;
  return typeof code === "string" ? code : undefined;
}
