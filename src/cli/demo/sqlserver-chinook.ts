/** Fills a SQL Server with the Chinook database, once. */
import { ensureDatabase } from '../../../connectors/sqlserver/preparation.ts';
import { Session, type SessionContext } from '../../../connectors/sqlserver/session.ts';
import { readChinookScript } from './chinook-script.ts';

export const CHINOOK_DATABASE = 'Chinook';
const SCRIPT = 'Chinook_SqlServer.sql';
const IS_FILLED = "SELECT CONVERT(varchar(10), OBJECT_ID(N'[dbo].[Artist]'));";
/** The longest batch is 1,000 rows. */
const BATCH_TIMEOUT_MILLISECONDS = 300_000;

/** Creates and fills the database that `context` names unless that is done. Resolves with true when it filled it. */
export async function fillChinook(context: SessionContext): Promise<boolean> {
  await ensureDatabase(context);
  const session = await Session.open(context, { name: 'isthmus demo' });
  try {
    const [row] = await session.query(IS_FILLED);
    if (row?.[0] != null) return false;
    const batches = batchesOf(await readChinookScript(SCRIPT));
    // One transaction, so that a kill in between leaves nothing that looks filled.
    await session.transaction('read committed', async () => {
      for (const batch of batches) {
        await session.batch(batch, { timeoutMilliseconds: BATCH_TIMEOUT_MILLISECONDS });
      }
    });
    return true;
  } finally {
    await session.close();
  }
}

/** What stands between the lines `GO`, which only clients understand, without the batches about the database itself. */
export function batchesOf(script: string): readonly string[] {
  return script
    .split(/^\s*GO\s*$/im)
    .map((batch) => batch.trim())
    .filter((batch) => batch !== '' && !/\b(DROP|CREATE) DATABASE\b|^USE\b/im.test(batch));
}
