/**
 * Launches the core's bodies in a page, which sends home what it found.
 */
import { coreBodies } from "../shared/core_bodies.ts";
import { runBodies } from "./mini.ts";

const { lines } = await runBodies("browser", navigator.userAgent, coreBodies);
await fetch("/result", { method: "POST", body: lines.join("\n") });
