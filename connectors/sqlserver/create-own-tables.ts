/** Makes schema and tables of our own where the login may, and says what to run where it may not. */
import { SqlServerPermissionError } from './errors.ts';
import { missingOwnTables, OWN_SCHEMA, OWN_TABLES_STATE } from './own-tables.ts';
import type { Session } from './session.ts';

/** Throws `SqlServerPermissionError` with the statements for somebody who may run them. */
export async function createOwnTables(session: Session): Promise<void> {
  const missing = await missingIn(session);
  if (missing.length === 0) return;
  try {
    for (const statement of missing) await session.batch(statement);
  } catch (cause) {
    const left = await missingIn(session);
    if (left.length === 0) return; // somebody else was faster
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SqlServerPermissionError(`the tables of schema ${OWN_SCHEMA} cannot be made: ${reason}`, {
      remedy: `run isthmus prepare-database, or as a member of db_owner: ${left.map((statement) => `${statement};`).join('\n')}`,
      cause,
    });
  }
}

async function missingIn(session: Session): Promise<readonly string[]> {
  const [state] = await session.query(OWN_TABLES_STATE);
  return missingOwnTables(state ?? []);
}
