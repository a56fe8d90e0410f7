/** What SET changes for a session. */
import type { IsolationLevel } from '../../contract.ts';
import type { Table } from '../storage/table.ts';

export type SessionOptions = {
  isolation: IsolationLevel;
  noCount: boolean;
  xactAbort: boolean;
  implicitTransactions: boolean;
  /** Milliseconds; negative: wait for ever. */
  lockTimeout: number;
  rowCount: number;
  textSize: number;
  dateFormat: 'mdy' | 'dmy' | 'ymd' | 'ydm' | 'myd' | 'dym';
  dateFirst: number;
  language: string;
  contextInfo: Uint8Array | null;
  /** ANSI settings and the like, by their names in upper case. */
  readonly switches: Map<string, boolean>;
};

/** The switches that are known, with what they are at first. Only those that the engine keeps to can be turned over. */
const switchesAtFirst: Readonly<Record<string, boolean>> = {
  ANSI_NULLS: true,
  ANSI_PADDING: true,
  ANSI_WARNINGS: true,
  ANSI_NULL_DFLT_ON: true,
  ANSI_NULL_DFLT_OFF: false,
  ANSI_DEFAULTS: false,
  ARITHABORT: true,
  ARITHIGNORE: false,
  CONCAT_NULL_YIELDS_NULL: true,
  CURSOR_CLOSE_ON_COMMIT: false,
  NUMERIC_ROUNDABORT: false,
  QUOTED_IDENTIFIER: true,
  FMTONLY: false,
  NOEXEC: false,
  PARSEONLY: false,
  SHOWPLAN_ALL: false,
};

/** What of them the engine keeps to in one way only: turning these over is refused, not forgotten. */
export const fixedSwitches: ReadonlySet<string> = new Set([
  'ANSI_NULLS',
  'ANSI_PADDING',
  'ANSI_WARNINGS',
  'CONCAT_NULL_YIELDS_NULL',
  'NUMERIC_ROUNDABORT',
  'QUOTED_IDENTIFIER',
  'NOEXEC',
  'PARSEONLY',
  'SHOWPLAN_ALL',
]);

/** `noCount` is what the server's `user options` may say. */
export function optionsAtFirst(noCount: boolean): SessionOptions {
  return {
    isolation: 'read committed',
    noCount,
    xactAbort: false,
    implicitTransactions: false,
    lockTimeout: -1,
    rowCount: 0,
    textSize: 2147483647,
    dateFormat: 'mdy',
    dateFirst: 7,
    language: 'us_english',
    contextInfo: null,
    switches: new Map(Object.entries(switchesAtFirst)),
  };
}

/** What SET changes, as it is now: a procedure's end, and that of dynamic SQL, puts it back. */
export function settingsOf(session: {
  readonly options: SessionOptions;
  readonly identityInsert: Table | undefined;
}): { readonly options: SessionOptions; readonly identityInsert: Table | undefined } {
  const { options, identityInsert } = session;
  return { options: { ...options, switches: new Map(options.switches) }, identityInsert };
}
