/**
 * Slots that standbys keep a copy of (PostgreSQL 17 and newer), so that after a failover the feed goes on where it was.
 * What a standby needs for that is mostly set there, and only partly to be seen from the primary.
 */
import { type Finding, fine, problem, warning } from '../../../src/connector/finding.ts';
import type { Logger } from '../../../src/log.ts';
import { PostgresServerError } from '../errors.ts';
import { Session, type SessionContext } from '../session.ts';
import { quoteIdentifier } from '../sql-text.ts';

export const FAILOVER = 'postgres/failover';

const FAILOVER_VERSION = 170_000;

const SITUATION = `SELECT current_setting('server_version_num'), current_setting('server_version'),
    current_setting('synchronized_standby_slots', true),
    (SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical'),
    (SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active),
    (SELECT string_agg(trim(n), ', ') FROM unnest(string_to_array(current_setting('synchronized_standby_slots', true), ',')) n
      WHERE trim(n) <> '' AND trim(n) NOT IN (SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical'))`;

const ON_STANDBY =
  'on the standby, sync_replication_slots = on, hot_standby_feedback = on, primary_slot_name = the physical slot, and dbname in primary_conninfo';

/** What can be seen from the primary of what failover slots need. */
export async function failoverFindings(session: Session): Promise<Finding[]> {
  const [row] = await session.query(SITUATION);
  const [versionNumber, version, synchronised, physical, inactive, unknown] = row ?? [];
  if (Number(versionNumber) < FAILOVER_VERSION) {
    return [
      problem(
        FAILOVER,
        `failoverSlot needs PostgreSQL 17, and this server is version ${version}`,
        'leave failoverSlot out; after a failover run isthmus load --resume',
      ),
    ];
  }
  if (physical === '0') {
    return [
      warning(
        FAILOVER,
        'failoverSlot is set, but the server has no physical replication slot: no standby copies the slot',
        `SELECT pg_create_physical_replication_slot('…') for the standby; ${ON_STANDBY}`,
      ),
    ];
  }
  const findings: Finding[] = [];
  if (inactive != null)
    findings.push(
      warning(
        FAILOVER,
        `no standby is connected to the physical replication slot ${inactive}`,
        'start that standby, or drop the slot',
      ),
    );
  if (unknown != null)
    findings.push(
      warning(
        FAILOVER,
        `synchronized_standby_slots names ${unknown}, which is no slot: nothing is delivered to the adapter until it exists`,
        'correct synchronized_standby_slots',
      ),
    );
  if (synchronised == null || synchronised.trim() === '')
    findings.push(
      warning(
        FAILOVER,
        'synchronized_standby_slots is empty: the adapter may read changes that a standby has not got yet, and a failover would then lose them in the database alone',
        'ALTER SYSTEM SET synchronized_standby_slots = the physical slot of the standby; SELECT pg_reload_conf()',
      ),
    );
  if (findings.length > 0) return findings;
  return [fine(FAILOVER, `failover slots have what they need on this side; ${ON_STANDBY}`)];
}

/** Throws `PostgresServerError` on a server that has no failover slots; warns of what else is missing. */
export async function requireFailoverSlots(session: Session, logger: Logger): Promise<void> {
  for (const { level, message, remedy } of await failoverFindings(session)) {
    if (level === 'error') throw new PostgresServerError(message, remedy === undefined ? {} : { remedy });
    if (level === 'warning') logger.warn(message, remedy === undefined ? {} : { remedy });
  }
}

/** Lets standbys keep a copy of a slot that was made without. */
export async function alterFailover(context: SessionContext, slot: string): Promise<void> {
  const connection = await Session.open(context, { replication: true, name: 'isthmus slot' });
  try {
    await connection.simple(`ALTER_REPLICATION_SLOT ${quoteIdentifier(slot)} (FAILOVER)`);
  } finally {
    await connection.close();
  }
}
