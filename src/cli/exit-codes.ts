/** The exit codes of the `isthmus` command (docs/cli.md). */
import { CommanderError } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { IsthmusError } from '../errors.ts';
import { DifferencesFoundError } from './verify/differences-found-error.ts';

export const EXIT = {
  /** Done, or stopped in good order after a signal. */
  ok: 0,
  /** An error that Isthmus did not foresee. */
  unexpected: 1,
  /** Unknown command or option, or a configuration that is missing or wrong. */
  usage: 2,
  /** A documented error (docs/errors.md), such as a database that cannot be reached. */
  failed: 3,
  /** The connector stopped by itself and needs an operator. */
  stopped: 4,
  /** A load was interrupted by a signal; the next one goes on where it was. */
  interrupted: 130,
  /** Stopping took longer than the grace period. */
  hung: 5,
  /** Tables and realms were compared and do not agree. */
  different: 6,
} as const;

/** The code for an error that ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) return EXIT.usage;
  if (error instanceof DifferencesFoundError) return EXIT.different;
  if (error instanceof IsthmusError) return error.code === 'connector-stopped' ? EXIT.stopped : EXIT.failed;
  return EXIT.unexpected;
}
