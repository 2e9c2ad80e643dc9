/** The status item: the only place where Loopsafe speaks up by itself. */

import * as vscode from "vscode";
import type { Health, Server, State } from "./server.ts";

const { t } = vscode.l10n;
const { Information, Warning, Error: Failure } = vscode.LanguageStatusSeverity;
const PYTHON: vscode.DocumentSelector = { language: "python" };
const SHOW_LOGS: vscode.Command = { command: "loopsafe.showLogs", title: t("Show logs") };
const RESTART: vscode.Command = { command: "loopsafe.restart", title: t("Restart") };
const CHOOSE: vscode.Command = {
  command: "workbench.action.openSettings",
  title: t("Choose Python"),
  arguments: ["loopsafe.interpreter"],
};

const TRUST: vscode.Command = { command: "workbench.trust.manage", title: t("Manage trust") };

/** Two lines: the findings of the active file, and what the server runs on, or else the trouble. */
interface Shown {
  readonly severity: vscode.LanguageStatusSeverity;
  readonly first: Line;
  readonly second: Line;
  readonly detail?: string;
  readonly isBusy?: boolean;
}

type Line = readonly [text: string, command: vscode.Command];

export class Status implements vscode.Disposable {
  private readonly first = vscode.languages.createLanguageStatusItem("loopsafe.findings", PYTHON);
  private readonly second = vscode.languages.createLanguageStatusItem("loopsafe.server", PYTHON);
  private readonly listeners: vscode.Disposable[];

  constructor(server: Server, version: string) {
    this.first.name = "Loopsafe";
    this.second.name = t("Loopsafe server");
    const update = () => this.show(describe(server.state, version));
    this.listeners = [
      this.first,
      this.second,
      server.onDidChangeState(update),
      vscode.languages.onDidChangeDiagnostics(update),
      vscode.window.onDidChangeActiveTextEditor(update),
    ];
    update();
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private show({ severity, first, second, detail = "", isBusy = false }: Shown): void {
    this.first.severity = severity;
    this.second.severity = severity;
    [this.first.text, this.first.command] = first;
    [this.second.text, this.second.command] = second;
    this.first.detail = detail;
    this.first.busy = isBusy;
  }
}

function describe(state: State, version: string): Shown {
  const restart: Line = [t("Loopsafe server"), RESTART];
  switch (state.kind) {
    case "starting": {
      const first: Line = [t("Loopsafe starts"), SHOW_LOGS];
      return { severity: Information, first, second: restart, isBusy: true };
    }
    case "stopped": {
      const first: Line = [t("Loopsafe is not running"), SHOW_LOGS];
      return { severity: Information, first, second: restart };
    }
    case "no-python": {
      const first: Line = [t("Loopsafe needs Python 3.10 or newer"), CHOOSE];
      return { severity: Failure, first, second: [state.message, SHOW_LOGS] };
    }
    case "failed": {
      const first: Line = [t("Loopsafe stopped"), RESTART];
      return { severity: Failure, first, second: [state.message, SHOW_LOGS] };
    }
    case "running": {
      const { health, interpreter, remark } = state;
      return {
        severity: health.state === "error" || remark ? Warning : Information,
        first: [
          t("Loopsafe: {0}", countFindings()),
          vscode.workspace.isTrusted ? SHOW_LOGS : TRUST,
        ],
        second: [t("Loopsafe {0} runs on Python {1}", version, interpreter.version), RESTART],
        detail: health.message || remark || environmentOf(health),
        isBusy: health.state === "busy",
      };
    }
  }
}

/** The environment of the active file, where files differ in it. */
function environmentOf(health: Health): string {
  if (!vscode.workspace.isTrusted) {
    return t("restricted mode: without the environment of the workspace");
  }
  const file = vscode.window.activeTextEditor?.document.uri.fsPath; // Cells have their notebook's.
  const own = health.environments?.find((one) => vscode.Uri.parse(one.uri).fsPath === file);
  return own?.environment ?? health.environment;
}

function countFindings(): string {
  const file = vscode.window.activeTextEditor?.document.uri;
  const all = file ? vscode.languages.getDiagnostics(file) : [];
  const count = all.filter((one) => one.source === "loopsafe").length;
  return count === 0 ? t("no findings") : count === 1 ? t("1 finding") : t("{0} findings", count);
}
