/** What the demo shows: what is connected where, how to connect, and a line for every synced transaction. */
import type { SyncedTransaction } from '../../connector/engine.ts';

export type Connections = {
  readonly connectionString: string;
  readonly url: string;
  readonly appId: string;
  readonly realmPath: string;
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly directory: string;
};

export function connectionsText(connections: Connections): string[] {
  const { connectionString, url, appId, realmPath, adminUser, adminPassword, directory } = connections;
  return [
    '',
    `PostgreSQL  ⇄  adapter  ⇄  realm ${realmPath}  ⇄  your app`,
    '',
    `  database   psql ${connectionString}`,
    `  base URL   ${url}`,
    `  app id     ${appId}`,
    `  realm      partition value "${realmPath}"`,
    `  user       ${adminUser} / ${adminPassword}   (or anonymous, or register one)`,
    `  kept in    ${directory}`,
    '',
    'Development mode: every logged-in user may read, write and extend the schema of every realm.',
    '',
    `Try:  psql ${connectionString} -c "UPDATE artist SET name = 'AC⚡DC' WHERE artist_id = 1"`,
    '',
    'Every synced transaction appears below. Ctrl-C stops; the next start goes on; --reset starts over.',
    '',
  ];
}

/** `PostgreSQL → realm /chinook  3 changes  Artist, Album` */
export function transactionText(transaction: SyncedTransaction): string {
  const { realmPath, instructions, classes } = transaction;
  const way =
    transaction.direction === 'toRealm'
      ? `PostgreSQL → realm ${realmPath}`
      : `realm ${realmPath} → PostgreSQL`;
  const merged =
    transaction.direction === 'toSql' && transaction.transactions > 1
      ? ` in ${transaction.transactions} transactions`
      : '';
  const changes = `${instructions} ${instructions === 1 ? 'change' : 'changes'}${merged}`;
  return `${way}  ${changes}  ${classes.join(', ')}`;
}
