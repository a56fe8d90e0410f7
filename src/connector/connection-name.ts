/**
 * What our connections call themselves on the server, so that whoever looks there (an operator, or another adapter that
 * finds its feed in use) sees which adapter on which machine it is.
 */
import { hostname } from 'node:os';

const OURS = /^isthmus(?: [a-z]+)? (.+)@([^@]*)$/;

/**
 * `isthmus feed shop@web1:4711`: `start`, then adapter, machine and process. The machine's name gives way when all is
 * longer than the database takes.
 */
export function connectionName(start: string, adapterName: string | undefined, longest: number): string {
  if (adapterName === undefined) return start;
  const named = `${start} ${printable(adapterName)}`;
  const process = `:${globalThis.process.pid}`;
  const room = longest - named.length - 1 - process.length;
  return `${named}@${printable(hostname()).slice(0, Math.max(room, 0))}${process}`.slice(0, longest);
}

/** The adapter and machine in a name that {@link connectionName} made; undefined for connections of others. */
export function adapterOfConnection(name: string): { adapter: string; machine: string } | undefined {
  const match = OURS.exec(name);
  return match === null ? undefined : { adapter: match[1] ?? '', machine: match[2] ?? '' };
}

/** Servers replace everything else, or refuse it. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?');
}
