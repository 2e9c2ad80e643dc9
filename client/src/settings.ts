/** The settings: what the client reads itself, and what the server is told when it pulls them. */

import * as vscode from "vscode";
import type { ConfigurationMiddleware } from "vscode-languageclient/node";
import type { ActiveEnvironments } from "./environment.ts";
import { expandPath, type Surroundings, surroundingsOf } from "./python.ts";

const SECTION = "loopsafe";

/** The command of `loopsafe.interpreter`, empty where there is none. */
export function configured(): readonly string[] {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return vscode.workspace.getConfiguration(SECTION, folder).get<string[]>("interpreter") ?? [];
}

/** What paths in the settings of a file or folder refer to, its own folder first. */
export function surroundings(resource: vscode.Uri | undefined): Surroundings {
  const own = resource && vscode.workspace.getWorkspaceFolder(resource);
  const all = vscode.workspace.workspaceFolders ?? [];
  const ordered = own ? [own, ...all.filter((folder) => folder !== own)] : all;
  return surroundingsOf(ordered.map(({ name, uri }) => ({ name, path: uri.fsPath })));
}

/**
 * Adds to each answer what only the editor knows: the environment that is active for the folder,
 * and paths without variables.
 */
export function configurationMiddleware(environments: ActiveEnvironments): ConfigurationMiddleware {
  return {
    configuration: async (params, token, next) => {
      const answers = await next(params, token);
      if (!Array.isArray(answers)) {
        return answers;
      }
      return Promise.all(
        params.items.map((item, index) =>
          item.section === SECTION
            ? complete(answers[index], item.scopeUri, environments)
            : answers[index],
        ),
      );
    },
  };
}

async function complete(
  settings: { readonly python?: unknown } | null,
  scope: string | undefined,
  environments: ActiveEnvironments,
): Promise<Record<string, unknown>> {
  const resource = scope ? vscode.Uri.parse(scope) : undefined;
  const python = typeof settings?.python === "string" ? settings.python : "";
  const active = vscode.workspace.isTrusted ? await environments.interpreter(resource) : undefined;
  return {
    ...settings,
    python: expandPath(python, surroundings(resource)),
    activeEnvironment: active ?? null,
  };
}
