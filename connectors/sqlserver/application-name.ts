/** What our connections call themselves in `sys.dm_exec_sessions` and to `APP_NAME()`. */
import { connectionName } from '../../src/connector/connection-name.ts';

/** `sysname`; the server refuses a login with a longer one. */
const LONGEST_NAME = 128;

export function applicationName(start: string, adapterName: string | undefined): string {
  return connectionName(start, adapterName, LONGEST_NAME);
}
