/** The blocking chain of a finding as a tree, from the loop's entry down into library source. */

import * as vscode from "vscode";
import type { Server } from "./server.ts";

const REFERENCES_VIEW = "vscode.references-view";
const { t } = vscode.l10n;

/** Positions as the protocol has them. */
interface Place {
  readonly line: number;
  readonly character: number;
}

interface Target {
  readonly uri: string;
  readonly range: { readonly start: Place; readonly end: Place };
}

/** What the server answers to `loopsafe/chain`. */
interface Chain {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Index of the step where the project calls the library. */
  readonly root: number;
}

interface Step {
  /** The function, or at the end what waits. */
  readonly name: string;
  readonly message: string;
  /** `shop/api/orders.py:18`; empty for what waits where its definition is not known. */
  readonly place: string;
  readonly location: Target;
}

/** The part of the interface of VS Code's own References view that is used here. */
interface ReferencesView {
  setInput(input: TreeInput): void;
}

interface TreeInput {
  readonly title: string;
  readonly contextValue: string;
  readonly location: vscode.Location;
  resolve(): TreeModel;
  with(location: vscode.Location): TreeInput;
}

interface TreeModel {
  readonly message: undefined;
  readonly provider: vscode.TreeDataProvider<Step>;
  readonly navigation: {
    nearest(uri: vscode.Uri, position: vscode.Position): Step | undefined;
    next(from: Step): Step;
    previous(from: Step): Step;
    location(item: Step): vscode.Location;
  };
}

export class Chains {
  constructor(private readonly server: Server) {}

  /** Shows the chain of the finding at a place, else at the caret. */
  async show(address?: unknown, position?: unknown): Promise<void> {
    const [chain, from] = (await this.ask(address, position)) ?? [];
    if (!chain || !from) {
      return;
    }
    const view = await referencesView();
    if (view) {
      view.setInput(input(chain, from));
      // A view that was never open does not always come up by itself.
      await vscode.commands.executeCommand("references-view.tree.focus");
      return;
    }
    // The peek sorts by file; better than nothing where the tree is switched off.
    const places = chain.steps.map((step) => locationOf(step.location));
    await vscode.commands.executeCommand(
      "editor.action.peekLocations",
      from.uri,
      from.range.start,
      places,
      "peek",
    );
  }

  /** Goes to the call where the project's code enters the library. */
  async goToRoot(address?: unknown, position?: unknown): Promise<void> {
    const [chain] = (await this.ask(address, position)) ?? [];
    const root = chain?.steps[chain.root];
    if (root) {
      const { uri, range } = locationOf(root.location);
      await vscode.window.showTextDocument(uri, { selection: range });
    }
  }

  /** Shows who calls a function; a lens tells the places. */
  async showCallers(address: string, position: Place, places: readonly Target[]): Promise<void> {
    await vscode.commands.executeCommand(
      "editor.action.showReferences",
      vscode.Uri.parse(address),
      positionOf(position),
      places.map(locationOf),
    );
  }

  private async ask(
    address: unknown,
    position: unknown,
  ): Promise<[Chain, vscode.Location] | undefined> {
    const editor = vscode.window.activeTextEditor;
    const uri = typeof address === "string" ? vscode.Uri.parse(address) : editor?.document.uri;
    const at = isPlace(position) ? positionOf(position) : editor?.selection.active;
    if (!uri || !at) {
      return undefined;
    }
    const chain = await this.server.ask<Chain | null>("loopsafe/chain", {
      textDocument: { uri: uri.toString() },
      position: { line: at.line, character: at.character },
    });
    if (!chain) {
      vscode.window.setStatusBarMessage(t("Loopsafe: no blocking call here"), 4_000);
      return undefined;
    }
    return [chain, new vscode.Location(uri, at)];
  }
}

/** VS Code's view of references and call hierarchies; nothing, where it is switched off. */
async function referencesView(): Promise<ReferencesView | undefined> {
  const extension = vscode.extensions.getExtension<ReferencesView>(REFERENCES_VIEW);
  try {
    const view = await extension?.activate();
    return typeof view?.setInput === "function" ? view : undefined;
  } catch {
    return undefined;
  }
}

function input(chain: Chain, from: vscode.Location): TreeInput {
  const { steps } = chain;
  const beside = (step: Step, by: number) => steps[steps.indexOf(step) + by];
  const provider: vscode.TreeDataProvider<Step> = {
    getChildren: (step) =>
      [step ? beside(step, 1) : steps[0]].filter((child) => child !== undefined),
    getParent: (step) => beside(step, -1),
    getTreeItem: (step) => treeItem(chain, step),
  };
  return {
    title: t("Blocking Chain"),
    contextValue: "loopsafe-chain",
    location: from,
    resolve: () => ({
      message: undefined,
      provider,
      navigation: {
        nearest: (uri) =>
          steps.find((step) => locationOf(step.location).uri.toString() === uri.toString()),
        next: (step) => beside(step, 1) ?? step,
        previous: (step) => beside(step, -1) ?? step,
        location: (step) => locationOf(step.location),
      },
    }),
    with: (location) => input(chain, location),
  };
}

/** One function a row, and where it calls the next: short enough for a narrow side bar. */
function treeItem(chain: Chain, step: Step): vscode.TreeItem {
  const { Expanded, None } = vscode.TreeItemCollapsibleState;
  const index = chain.steps.indexOf(step);
  const isLast = index === chain.steps.length - 1;
  const item = new vscode.TreeItem(step.name, isLast ? None : Expanded);
  const { uri, range } = locationOf(step.location);
  const place = index <= chain.root ? shortened(step.place) : step.place;
  item.description = isLast ? t("waits") : place;
  item.tooltip = [index === 0 ? chain.title : "", step.message, step.place]
    .filter(Boolean)
    .join("\n");
  item.iconPath = new vscode.ThemeIcon(icon(chain, index));
  item.command = {
    command: "vscode.open",
    title: t("Open"),
    arguments: [uri, { selection: range.with({ end: range.start }), preserveFocus: true }],
  };
  return item;
}

/** The loop's entry, the project's functions, those of libraries, and the call that waits. */
function icon(chain: Chain, index: number): string {
  if (index === chain.steps.length - 1) {
    return "watch";
  }
  return index === 0 ? "sync" : index <= chain.root ? "symbol-method" : "library";
}

/** `orders.py:18`; a package's own file keeps the name of its folder. */
function shortened(place: string): string {
  return place.replace(/^.*\/(?=[^/]+$)(?!__init__)|^.*\/(?=[^/]+\/__init__)/, "");
}

function locationOf(target: Target): vscode.Location {
  const { start, end } = target.range;
  const range = new vscode.Range(positionOf(start), positionOf(end));
  return new vscode.Location(vscode.Uri.parse(target.uri), range);
}

function positionOf(place: Place): vscode.Position {
  return new vscode.Position(place.line, place.character);
}

function isPlace(value: unknown): value is Place {
  return typeof value === "object" && value !== null && "line" in value && "character" in value;
}
