/** What the core is compared with. */
export * from "pkijs";
