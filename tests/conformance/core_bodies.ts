/**
 * The tests of the core that run everywhere, sandboxes without sockets and
 * without `node:` modules included.
 */
import { attacks } from "./core/attacks.ts";
import { certificates } from "./core/certificates.ts";
import { paths } from "./core/paths.ts";
import { pins } from "./core/pins.ts";
import { vectors } from "./core/vectors.ts";
import { rules } from "./core/rules.ts";
import { decisions } from "./core/decisions.ts";
import { hosts } from "./core/hosts.ts";
import { matching } from "./core/matching.ts";
import { policies } from "./core/policies.ts";
import type { Body } from "./harness.ts";

/** All of them. */
export const coreBodies: readonly Body[] = [
  certificates,
  pins,
  paths,
  rules,
  attacks,
  vectors,
  decisions,
  matching,
  hosts,
  policies,
];
