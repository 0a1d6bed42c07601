/**
 * Keys that the command writes into policies. A policy ignores keys that begin
 * with `x-`.
 *
 * @module
 */

/**
 * The key that marks the place of a backup pin that is still missing; lint
 * reports it as an error.
 */
export const BACKUP_GAP = "x-backup-missing";

/**
 * The key that says which port a host answers on, if it is not the usual one.
 * Pins hold for all ports: only `certpin check` reads it.
 */
export const PORT_KEY = "x-port";
