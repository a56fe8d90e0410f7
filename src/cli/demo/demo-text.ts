/** What the demo shows: what is connected where, how to connect, and a line for every synced transaction. */
import type { SyncedTransaction } from '../../connector/engine.ts';
import type { DemoDatabase } from './demo-database.ts';

export type Connections = {
  readonly database: Pick<DemoDatabase, 'product' | 'client' | 'example'>;
  readonly url: string;
  readonly appId: string;
  readonly realmPath: string;
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly directory: string;
};

export function connectionsText(connections: Connections): string[] {
  const { database, url, appId, realmPath, adminUser, adminPassword, directory } = connections;
  return [
    '',
    `${database.product}  ⇄  adapter  ⇄  realm ${realmPath}  ⇄  your app`,
    '',
    `  database   ${database.client}`,
    `  base URL   ${url}`,
    `  app id     ${appId}`,
    `  realm      partition value "${realmPath}"`,
    `  user       ${adminUser} / ${adminPassword}   (or anonymous, or register one)`,
    `  kept in    ${directory}`,
    '',
    'Development mode: every logged-in user may read, write and extend the schema of every realm.',
    '',
    `Try:  ${database.example}`,
    '',
    'Every synced transaction appears below. Ctrl-C stops; the next start goes on; --reset starts over.',
    '',
  ];
}

/** `PostgreSQL → realm /chinook  3 changes  Artist, Album` */
export function transactionText(product: string, transaction: SyncedTransaction): string {
  const { realmPath, instructions, classes } = transaction;
  const way =
    transaction.direction === 'toRealm'
      ? `${product} → realm ${realmPath}`
      : `realm ${realmPath} → ${product}`;
  const merged =
    transaction.direction === 'toSql' && transaction.transactions > 1
      ? ` in ${transaction.transactions} transactions`
      : '';
  const changes = `${instructions} ${instructions === 1 ? 'change' : 'changes'}${merged}`;
  return `${way}  ${changes}  ${classes.join(', ')}`;
}
