/**
 * What our connections call themselves in `pg_stat_activity` and `pg_stat_replication`, so that whoever looks there
 * (an operator, or another adapter that finds its slot in use) sees which adapter on which machine it is.
 */
import { hostname } from 'node:os';

/** NAMEDATALEN − 1: the server cuts what is longer. */
const LONGEST_NAME = 63;
const OURS = /^isthmus(?: [a-z]+)? (.+)@([^@]*)$/;

/**
 * `isthmus feed shop@web1:4711`: `start`, then adapter, machine and process. The machine's name gives way when all is
 * too long.
 */
export function applicationName(start: string, adapterName: string | undefined): string {
  if (adapterName === undefined) return start;
  const named = `${start} ${printable(adapterName)}`;
  const process = `:${globalThis.process.pid}`;
  const room = LONGEST_NAME - named.length - 1 - process.length;
  return `${named}@${printable(hostname()).slice(0, Math.max(room, 0))}${process}`.slice(0, LONGEST_NAME);
}

/** The adapter and machine in a name that {@link applicationName} made; undefined for connections of others. */
export function adapterOfApplication(name: string): { adapter: string; machine: string } | undefined {
  const match = OURS.exec(name);
  return match === null ? undefined : { adapter: match[1] ?? '', machine: match[2] ?? '' };
}

/** The server replaces everything else by question marks. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?');
}
