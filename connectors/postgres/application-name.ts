/** What our connections call themselves in `pg_stat_activity` and `pg_stat_replication`. */
import { connectionName } from '../../src/connector/connection-name.ts';

/** NAMEDATALEN − 1: the server cuts what is longer. */
const LONGEST_NAME = 63;

export function applicationName(start: string, adapterName: string | undefined): string {
  return connectionName(start, adapterName, LONGEST_NAME);
}
