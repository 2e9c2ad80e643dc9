/** The status item: the only place where Loopsafe speaks up by itself. */

import * as vscode from "vscode";
import type { Server, State } from "./server.ts";

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

/** What the item shows: the findings of the active file, and below what the server runs on. */
interface Shown {
  readonly severity: vscode.LanguageStatusSeverity;
  readonly text: string;
  readonly detail: string;
  readonly runtime: string;
  readonly command: vscode.Command;
  readonly isBusy?: boolean;
}

export class Status implements vscode.Disposable {
  private readonly findings = vscode.languages.createLanguageStatusItem(
    "loopsafe.findings",
    PYTHON,
  );
  private readonly runtime = vscode.languages.createLanguageStatusItem("loopsafe.runtime", PYTHON);
  private readonly listeners: vscode.Disposable[];

  constructor(server: Server) {
    this.findings.name = "Loopsafe";
    this.findings.command = SHOW_LOGS;
    this.runtime.name = t("Loopsafe server");
    const update = () => this.show(describe(server.state));
    this.listeners = [
      this.findings,
      this.runtime,
      server.onDidChangeState(update),
      vscode.languages.onDidChangeDiagnostics(update),
      vscode.window.onDidChangeActiveTextEditor(update),
    ];
    update();
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private show({ severity, text, detail, runtime, command, isBusy = false }: Shown): void {
    this.findings.busy = isBusy;
    this.findings.severity = severity;
    this.findings.text = text;
    this.findings.detail = detail;
    this.runtime.severity = severity;
    this.runtime.text = runtime;
    this.runtime.command = command;
  }
}

function describe(state: State): Shown {
  const runtime = t("Loopsafe server");
  switch (state.kind) {
    case "starting":
      return {
        severity: Information,
        text: "Loopsafe",
        detail: t("starting"),
        runtime,
        command: RESTART,
        isBusy: true,
      };
    case "stopped":
      return {
        severity: Information,
        text: "Loopsafe",
        detail: t("stopped"),
        runtime,
        command: RESTART,
      };
    case "no-python":
      return {
        severity: Failure,
        text: t("Loopsafe needs Python 3.10 or newer"),
        detail: state.message,
        runtime: t("No Python found"),
        command: CHOOSE,
      };
    case "failed":
      return {
        severity: Failure,
        text: t("Loopsafe stopped"),
        detail: state.message,
        runtime,
        command: RESTART,
      };
    case "running": {
      const { health, interpreter, remark } = state;
      return {
        severity: health.state === "error" || remark ? Warning : Information,
        text: t("Loopsafe: {0}", countFindings()),
        detail: health.message || remark || health.environment,
        runtime: t("Loopsafe runs on Python {0}", interpreter.version),
        command: RESTART,
        isBusy: health.state === "busy",
      };
    }
  }
}

function countFindings(): string {
  const file = vscode.window.activeTextEditor?.document.uri;
  const all = file ? vscode.languages.getDiagnostics(file) : [];
  const count = all.filter((one) => one.source === "loopsafe").length;
  return count === 0 ? t("no findings") : count === 1 ? t("1 finding") : t("{0} findings", count);
}
