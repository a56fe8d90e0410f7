/**
 * What a check of configuration, database or server found. A start throws the first error among the findings; the
 * watch logs what changes; `isthmus doctor` shows them all.
 */
import type { IsthmusError } from '../errors.ts';

export type FindingLevel = 'ok' | 'warning' | 'error';

export type Finding = {
  /** Stable name of the check, such as `postgres/wal-level`; docs/operations.md lists them. */
  readonly check: string;
  readonly level: FindingLevel;
  readonly message: string;
  readonly remedy?: string;
  /** What a start throws for it. */
  readonly error?: IsthmusError;
};

export function fine(check: string, message: string): Finding {
  return { check, level: 'ok', message };
}

export function warning(check: string, message: string, remedy?: string): Finding {
  return { check, level: 'warning', message, ...(remedy === undefined ? {} : { remedy }) };
}

/** A finding of level error that has no error of its own. */
export function problem(check: string, message: string, remedy?: string): Finding {
  return { check, level: 'error', message, ...(remedy === undefined ? {} : { remedy }) };
}

/** The finding for an error that a start would throw. */
export function failed(check: string, error: IsthmusError): Finding {
  const { remedy } = error;
  // The message of an error ends with its remedy, which a finding shows by itself.
  const message =
    remedy !== undefined && error.message.endsWith(` — ${remedy}`)
      ? error.message.slice(0, -` — ${remedy}`.length)
      : error.message;
  return { check, level: 'error', message, error, ...(remedy === undefined ? {} : { remedy }) };
}

/** Throws the first error among the findings. */
export function requireFine(findings: Iterable<Finding>): void {
  for (const { error } of findings) if (error !== undefined) throw error;
}
