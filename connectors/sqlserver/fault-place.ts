/** Where a statement failed, as far as the server's message tells: it has no fields of its own for that. */
import type { FaultPlace } from '../../src/connector/errors.ts';
import { decisive, numberOf } from './error-numbers.ts';

const CONSTRAINT = /constraint ["']([^"']+)["']/i;
const INDEX = /unique index ["']([^"']+)["']/i;
const OBJECT = /(?:object|table) ["']([^"']+)["']/i;
const COLUMN = /column ["']([^"']+)["']/i;
/** The table and column of such a message are those of the foreign key's other side, but for a check those of the row. */
const CONFLICT = 547;
const CHECK = /\bCHECK constraint\b/;

/** Tables without database and schema. Empty for failures that are none of the server's. */
export function placeOf(error: unknown): FaultPlace {
  const decided = decisive(error);
  const number = numberOf(decided);
  if (number === undefined || !(decided instanceof Error)) return {};
  const { message } = decided;
  const constraint = (CONSTRAINT.exec(message) ?? INDEX.exec(message))?.[1];
  const found = constraint === undefined ? {} : { constraint };
  if (number === CONFLICT && !CHECK.test(message)) return found;
  const table = OBJECT.exec(message)?.[1]?.split('.').at(-1);
  const column = COLUMN.exec(message)?.[1];
  return {
    ...found,
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
  };
}
