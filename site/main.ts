/**
 * The page: certpin's core in a browser, without a server.
 *
 * @module
 */
import { startChainPanel } from "./chain_panel.ts";
import { byId } from "./dom.ts";
import { startPolicyPanel } from "./policy_panel.ts";

const NAMES = ["chain", "policy"] as const;

/** Tabs as the ARIA pattern has them: arrow keys move between them. */
function startTabs(): void {
  const tabs = NAMES.map((name) => byId(`tab-${name}`, HTMLButtonElement));
  const panels = NAMES.map((name) => byId(`panel-${name}`, HTMLElement));
  const select = (chosen: number) => {
    for (const [index, tab] of tabs.entries()) {
      tab.setAttribute("aria-selected", `${index === chosen}`);
      tab.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    }
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(index));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      const next = (index + 1) % tabs.length;
      select(next);
      tabs[next].focus();
    });
  }
}

startTabs();
startChainPanel();
startPolicyPanel();

// All that is needed later is loaded now, so that nothing is requested once
// somebody has pasted something, and the page goes on without a network.
await Promise.all([
  import("../cli/formats/registry.ts").then(({ FOREIGN_NAMES, loadFormat }) =>
    Promise.all(FOREIGN_NAMES.map(loadFormat))
  ),
  import("../cli/commands/lint_checks.ts"),
  import("../src/testing/mod.ts"),
]);
document.documentElement.dataset.ready = "true";
