import type { Screen } from '../progress-display.ts';

/** What a command is given by the command line. */
export type CommandContext = {
  /** Aborted when the process is asked to stop. */
  readonly signal: AbortSignal;
  readonly screen: Screen;
  /** Writes a line for the user to standard output. */
  readonly say: (line: string) => void;
};
