/** The language server: its process, its restarts, and what is asked of it. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import type { Readable } from "node:stream";
import * as vscode from "vscode";
import {
  CloseAction,
  DiagnosticPullMode,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";
import type { ActiveEnvironments } from "./environment.ts";
import { candidates, find, type Interpreter, serverArguments } from "./python.ts";
import { configurationMiddleware, configured, surroundings } from "./settings.ts";

export type State =
  | { readonly kind: "starting" }
  | Running
  | { readonly kind: "stopped" }
  | { readonly kind: "no-python"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string };

interface Running {
  readonly kind: "running";
  readonly interpreter: Interpreter;
  /** Why the interpreter is not the one that the user asked for; else empty. */
  readonly remark: string;
  readonly health: Health;
}

/** What the server says of itself, as `loopsafe/status`. */
export interface Health {
  readonly state: "ready" | "busy" | "error";
  readonly message: string;
  /** The environment that is analysed, `Python 3.12 (.venv)`. */
  readonly environment: string;
  /** That of each open file, where they differ. */
  readonly environments?: readonly { readonly uri: string; readonly environment: string }[];
}

/** Commands that the server may put into menus, lenses and hovers. */
const CARRIED_OUT = ["loopsafe.showChain", "loopsafe.goToRoot", "loopsafe.showCallers"];

/** VS Code shows the call hierarchy of one extension only: those that know all calls go first. */
const CALL_HIERARCHIES = [
  "ms-python.vscode-pylance",
  "detachhead.basedpyright",
  "ms-pyright.pyright",
  "anysphere.cursorpyright",
  "astral-sh.ty",
];

/** The scheme of the address of a cell. */
export const NOTEBOOK_CELL = "vscode-notebook-cell";

const CRASHES_ALLOWED = 4;
const CRASH_WINDOW_MS = 180_000;
const LAST_WORDS = 20;
const GOODBYE_MS = 2_000;
const SILENCE_MS = 500;

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<State>();
  private current: State = { kind: "stopped" };
  private client: QuietClient | undefined;
  private child: ChildProcess | undefined;
  private complaints: string[] = [];
  private crashes: number[] = [];
  private isWanted = false;
  private work: Promise<void> | undefined;

  readonly onDidChangeState = this.changed.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly environments: ActiveEnvironments,
  ) {}

  get state(): State {
    return this.current;
  }

  /** Starts the server anew. Calls that come meanwhile are served by one more start. */
  restart(): Promise<void> {
    this.isWanted = true;
    this.work ??= this.startUntilWanted().finally(() => {
      this.work = undefined;
    });
    return this.work;
  }

  async stop(): Promise<void> {
    this.isWanted = false;
    await this.work;
    await this.shutDown();
    this.enter({ kind: "stopped" });
  }

  /** An answer to a request of Loopsafe's own, or nothing where no server is running. */
  async ask<T>(method: string, parameters: unknown): Promise<T | undefined> {
    await this.work;
    return this.client?.isRunning() ? this.client.sendRequest<T>(method, parameters) : undefined;
  }

  /** Makes the server pull its settings again. */
  async announceSettings(): Promise<void> {
    if (this.client?.isRunning()) {
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings: null });
    }
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
  }

  private async startUntilWanted(): Promise<void> {
    while (this.isWanted) {
      this.isWanted = false;
      await this.shutDown();
      await this.start();
    }
  }

  private async start(): Promise<void> {
    this.enter({ kind: "starting" });
    const { interpreter, failures } = await this.findInterpreter();
    for (const failure of failures) {
      this.log.warn(failure);
    }
    if (!interpreter) {
      this.enter({ kind: "no-python", message: failures[0] ?? "There is no Python on PATH" });
      return;
    }
    const client = new QuietClient(
      "loopsafe",
      "Loopsafe",
      () => this.spawn(interpreter),
      this.options(),
    );
    this.client = client;
    let health: Health = { state: "ready", message: "", environment: "" };
    client.onNotification("loopsafe/status", (said: Health) => {
      health = said;
      if (this.current.kind === "running" && this.client === client) {
        this.enter({ ...this.current, health });
      }
    });
    try {
      await client.start();
    } catch (error) {
      this.log.error(String(error));
      await this.silence();
      this.enter({ kind: "failed", message: this.lastWords() ?? String(error) });
      return;
    }
    const isSecondChoice = configured().length > 0 && interpreter.origin !== "loopsafe.interpreter";
    const remark = (isSecondChoice && failures[0]) || "";
    this.enter({ kind: "running", interpreter, remark, health });
  }

  private async findInterpreter() {
    const active = vscode.workspace.isTrusted
      ? await this.environments.interpreter(undefined)
      : undefined;
    return find(candidates(configured(), active, surroundings(undefined)));
  }

  private spawn(interpreter: Interpreter): Promise<ChildProcess> {
    const storage = this.context.globalStorageUri.fsPath;
    mkdirSync(storage, { recursive: true });
    const libraries = this.context.asAbsolutePath(path.join("bundled", "libs"));
    const given = serverArguments(interpreter, libraries, path.join(storage, "pycache"));
    this.log.info(`Starting ${interpreter.program} ${given.join(" ")}`);
    this.complaints = [];
    // Not in the workspace: nothing that lies there may be imported or started by accident.
    const child = spawn(interpreter.program, given, { cwd: storage, windowsHide: true });
    this.child = child;
    return new Promise((resolve, reject) => {
      child.once("spawn", () => resolve(child));
      child.once("error", reject);
    });
  }

  private options(): LanguageClientOptions {
    return {
      documentSelector: [
        { language: "python", scheme: "file" },
        { language: "python", scheme: "untitled" },
        { language: "python", notebook: "jupyter-notebook" },
        { language: "python", notebook: "interactive" },
      ],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      stdioOptions: {
        stdout: () => {},
        stderr: (input) => this.listen(input),
      },
      initializationOptions: {
        trusted: vscode.workspace.isTrusted,
        globalStorage: this.context.globalStorageUri.fsPath,
        commands: CARRIED_OUT,
        callHierarchy: !hasOtherCallHierarchy(),
      },
      markdown: { isTrusted: { enabledCommands: CARRIED_OUT } },
      diagnosticPullOptions: {
        onChange: true,
        onSave: true,
        onFocus: true,
        filter: isUnwantedPull,
      },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(),
      },
      middleware: { workspace: configurationMiddleware(this.environments) },
    };
  }

  private listen(input: Readable): void {
    readline.createInterface({ input }).on("line", (line) => {
      this.log.info(line);
      this.complaints = [...this.complaints.slice(1 - LAST_WORDS), line];
    });
  }

  /** The client's own restarts would neither look for Python again nor know when to stop. */
  private async closed() {
    await this.silence();
    const now = Date.now();
    this.crashes = [...this.crashes.filter((time) => now - time < CRASH_WINDOW_MS), now];
    const message = this.lastWords() ?? "The server ended without a word";
    if (this.current.kind === "running" && this.crashes.length <= CRASHES_ALLOWED) {
      this.log.warn(`${message}; starting it again`);
      void this.restart();
    } else {
      this.enter({ kind: "failed", message });
    }
    return { action: CloseAction.DoNotRestart, message, handled: true };
  }

  /** Until a server that is going down has said all it has to say. */
  private async silence(): Promise<void> {
    const child = this.child;
    if (child && !child.stderr?.readableEnded) {
      const closed = new Promise((resolve) => child.once("close", resolve));
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, SILENCE_MS))]);
    }
  }

  /** The last line of a traceback names the mistake. */
  private lastWords(): string | undefined {
    return this.complaints.findLast((line) => line.trim() !== "")?.trim();
  }

  private async shutDown(): Promise<void> {
    const { client, child } = this;
    this.client = undefined;
    this.child = undefined;
    try {
      await client?.dispose(GOODBYE_MS);
    } catch (error) {
      this.log.info(`Stopping: ${error}`);
    }
    if (child && child.exitCode === null && child.signalCode === null) {
      setTimeout(() => child.kill(), GOODBYE_MS).unref();
    }
  }

  private enter(state: State): void {
    this.current = state;
    this.changed.fire(state);
  }
}

function hasOtherCallHierarchy(): boolean {
  return CALL_HIERARCHIES.some((id) => vscode.extensions.getExtension(id) !== undefined);
}

/** A client that never interrupts: what it would pop up is in the log and on the status item. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

function isUnwantedPull(document: vscode.TextDocument, mode: DiagnosticPullMode): boolean {
  if (document.uri.scheme === NOTEBOOK_CELL) {
    return true; // The server publishes them: it alone knows when another cell has changed them.
  }
  const run = vscode.workspace.getConfiguration("loopsafe", document).get("run");
  return run === "onSave" ? mode === DiagnosticPullMode.onType : mode === DiagnosticPullMode.onSave;
}
