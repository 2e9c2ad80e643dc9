/** The environment a folder is analysed in, as the Python extension tells it, where there is one. */

import * as vscode from "vscode";

const PYTHON_EXTENSION = "ms-python.python";
const PATIENCE_MS = 2_000;

/** The part of the Python extension's interface that is used here. */
interface PythonExtension {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(environment: {
      readonly path: string;
    }): Promise<ResolvedEnvironment | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

interface ResolvedEnvironment {
  readonly executable: { readonly uri?: vscode.Uri | undefined };
}

/** Never waits for the other extension to start: until it has, there is no active environment. */
export class ActiveEnvironments implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly listeners: vscode.Disposable[] = [this.changed];
  private readonly answers = new Map<string, string | undefined>();
  private extension: PythonExtension | undefined;

  /** Fires when an answer that was given is no longer right. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly log: vscode.LogOutputChannel) {
    this.listeners.push(vscode.extensions.onDidChange(() => this.connect()));
    this.connect();
  }

  /** The interpreter that is active for a file or folder. */
  async interpreter(resource: vscode.Uri | undefined): Promise<string | undefined> {
    const folder = resource && vscode.workspace.getWorkspaceFolder(resource);
    const scope = folder?.uri ?? resource ?? vscode.workspace.workspaceFolders?.[0]?.uri;
    const answer = await this.ask(scope);
    this.answers.set(scope?.toString() ?? "", answer);
    return answer;
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private connect(): void {
    const found = vscode.extensions.getExtension<PythonExtension>(PYTHON_EXTENSION);
    if (!found || this.extension) {
      return;
    }
    if (found.isActive) {
      this.use(found.exports);
      return;
    }
    found.activate().then(
      (exports) => {
        this.use(exports);
        return this.compare();
      },
      (error: unknown) => this.log.info(`The Python extension did not start: ${error}`),
    );
  }

  private use(exports: PythonExtension | undefined): void {
    if (!exports?.environments || this.extension) {
      return;
    }
    this.extension = exports;
    this.listeners.push(
      exports.environments.onDidChangeActiveEnvironmentPath(() => void this.compare()),
    );
  }

  /** The extension repeats itself: only a different answer is news. */
  private async compare(): Promise<void> {
    for (const [scope, before] of [...this.answers]) {
      const uri = scope ? vscode.Uri.parse(scope) : undefined;
      if ((await this.ask(uri)) !== before) {
        this.changed.fire();
        return;
      }
    }
  }

  private async ask(scope: vscode.Uri | undefined): Promise<string | undefined> {
    const environments = this.extension?.environments;
    if (!environments) {
      return undefined;
    }
    try {
      const active = environments.getActiveEnvironmentPath(scope);
      const resolved = await atMost(PATIENCE_MS, environments.resolveEnvironment(active));
      return resolved?.executable.uri?.fsPath;
    } catch (error) {
      this.log.info(`The Python extension does not tell its environment: ${error}`);
      return undefined;
    }
  }
}

function atMost<T>(milliseconds: number, answer: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), milliseconds);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
