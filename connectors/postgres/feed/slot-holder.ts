/** Who reads a slot now: what an adapter that finds it in use, and `isthmus doctor`, tell about the other one. */
import { adapterOfConnection } from '../../../src/connector/connection-name.ts';
import type { Session } from '../session.ts';

/** The connection that reads a slot. What the user may not see is undefined. */
export type SlotHolder = {
  readonly pid: number;
  readonly application: string | undefined;
  /** Set when the connection calls itself one of ours. */
  readonly adapter: { readonly adapter: string; readonly machine: string } | undefined;
  readonly address: string | undefined;
  readonly user: string | undefined;
  readonly since: string | undefined;
};

const HOLDER = `SELECT s.active_pid, coalesce(nullif(a.application_name, ''), r.application_name),
    host(coalesce(a.client_addr, r.client_addr)), coalesce(a.usename, r.usename),
    to_char(coalesce(a.backend_start, r.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
    LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
  WHERE s.slot_name = $1 AND s.active_pid IS NOT NULL`;

/** Who reads the slot now; undefined when nobody does. */
export async function slotHolder(session: Session, name: string): Promise<SlotHolder | undefined> {
  const [row] = await session.query(HOLDER, [name]);
  if (row === undefined) return undefined;
  const [pid, application, address, user, since] = row;
  return {
    pid: Number(pid),
    application: application ?? undefined,
    adapter: application == null ? undefined : adapterOfConnection(application),
    address: address ?? undefined,
    user: user ?? undefined,
    since: since ?? undefined,
  };
}

/** `adapter shop on web1:4711 (pid 123, user app, address 10.0.0.7, since …)`. */
export function holderText(holder: SlotHolder | undefined): string {
  if (holder === undefined) return 'a connection that the server does not name';
  const { adapter, application, pid, user, address, since } = holder;
  const who =
    adapter !== undefined
      ? `the adapter ${adapter.adapter} on ${adapter.machine}`
      : application === undefined || application === ''
        ? 'a connection without a name'
        : `the program “${application}”`;
  const facts = [
    `server process ${pid}`,
    ...(user === undefined ? [] : [`user ${user}`]),
    `from ${address ?? 'the server’s own machine'}`,
    ...(since === undefined ? [] : [`since ${since}`]),
  ];
  return `${who} (${facts.join(', ')})`;
}
