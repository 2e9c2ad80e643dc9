/** The status item: the only place where Loopsafe speaks up by itself. */

import * as vscode from "vscode";
import type { Server, State } from "./server.ts";

const SELECTOR: vscode.DocumentSelector = { language: "python" };
const SHOW_LOGS: vscode.Command = { command: "loopsafe.showLogs", title: "Show logs" };
const RESTART: vscode.Command = { command: "loopsafe.restart", title: "Restart" };
const CHOOSE: vscode.Command = {
  command: "workbench.action.openSettings",
  title: "Choose interpreter",
  arguments: ["loopsafe.interpreter"],
};

/** Two lines: what was found in the active file, and what runs the server. */
export class Status implements vscode.Disposable {
  private readonly findings = vscode.languages.createLanguageStatusItem(
    "loopsafe.findings",
    SELECTOR,
  );
  private readonly runtime = vscode.languages.createLanguageStatusItem(
    "loopsafe.runtime",
    SELECTOR,
  );
  private readonly listeners: vscode.Disposable[];

  constructor(private readonly server: Server) {
    this.findings.name = "Loopsafe";
    this.runtime.name = "Loopsafe server";
    const show = () => this.show(server.state);
    this.listeners = [
      this.findings,
      this.runtime,
      server.onDidChangeState(show),
      vscode.languages.onDidChangeDiagnostics(show),
      vscode.window.onDidChangeActiveTextEditor(show),
    ];
    show();
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private show(state: State): void {
    const { severity, text, detail, runtime, command } = describe(state);
    this.findings.busy = state.kind === "starting";
    this.findings.severity = severity;
    this.findings.text = text;
    this.findings.detail = detail;
    this.findings.command = SHOW_LOGS;
    this.runtime.severity = severity;
    this.runtime.text = runtime;
    this.runtime.command = command;
  }
}

function describe(state: State) {
  const { Information, Warning, Error: Failure } = vscode.LanguageStatusSeverity;
  switch (state.kind) {
    case "starting":
      return line(Information, "Loopsafe", "starting", "Loopsafe server", RESTART);
    case "running": {
      const runtime = `Loopsafe runs on Python ${state.interpreter.version}`;
      const severity = state.remark ? Warning : Information;
      return line(severity, `Loopsafe: ${countFindings()}`, state.remark, runtime, RESTART);
    }
    case "stopped":
      return line(Information, "Loopsafe", "stopped", "Loopsafe server", RESTART);
    case "no-python":
      return line(
        Failure,
        "Loopsafe needs Python 3.10 or newer",
        state.message,
        "No Python",
        CHOOSE,
      );
    case "failed":
      return line(Failure, "Loopsafe stopped", state.message, "Loopsafe server", RESTART);
  }
}

function line(
  severity: vscode.LanguageStatusSeverity,
  text: string,
  detail: string,
  runtime: string,
  command: vscode.Command,
) {
  return { severity, text, detail, runtime, command };
}

function countFindings(): string {
  const file = vscode.window.activeTextEditor?.document.uri;
  const all = file ? vscode.languages.getDiagnostics(file) : [];
  const count = all.filter((one) => one.source?.toLowerCase() === "loopsafe").length;
  return count === 0 ? "no findings" : count === 1 ? "1 finding" : `${count} findings`;
}
