/**
 * A SQL Server to test against: the TDS server in front of the engine. It was written from documentation, knows the
 * part of T-SQL that a connector needs, and says so of everything else. See README.md.
 */
import type { Faults } from './engine/faults.ts';
import { openEngine } from './engine/open-engine.ts';
import { type Listener, overheard } from './overheard.ts';
import type { WireFaults } from './tds/faults.ts';
import { startTdsServer, type TdsServerOptions } from './tds/server.ts';

export type SimulatorOptions = Pick<TdsServerOptions, 'host' | 'port' | 'tls' | 'encryption'> & {
  /** Where databases are kept; only in memory when absent. */
  readonly directory?: string;
  /** Told every statement that clients send. */
  readonly listener?: Listener;
};

/** What the simulator does wrong on purpose, when told to. */
export type SimulatorFaults = {
  /** Connections that are cut or refused. */
  readonly wire: WireFaults;
  /** Deadlocks, conflicts, and how the open questions of spec/sql-server.md are answered. */
  readonly engine: Faults;
  /** Forgets the changes up to a version of a database, all there are unless one is given, as its retention does. */
  cleanUp(database: string, upTo?: number): void;
  /** Sets the version of a database back, as restoring a backup of it does. */
  setBack(database: string, version: number): void;
};

export type SqlServerSimulator = {
  readonly host: string;
  readonly port: number;
  /** A member of sysadmin. */
  readonly user: string;
  readonly password: string;
  readonly faults: SimulatorFaults;
  /** As ISTHMUS_SQLSERVER_URL takes it. */
  url(database?: string): string;
  /** Cuts all connections, as a network does that fails. */
  cutConnections(): void;
  /** Goes away as in a power cut. What was acknowledged is found by the next start in the directory. */
  crash(): Promise<void>;
  close(): Promise<void>;
};

const USER = 'sa';
const PASSWORD = 'Simulator_1';

export async function startSqlServerSimulator(options: SimulatorOptions = {}): Promise<SqlServerSimulator> {
  const { directory, listener, ...serverOptions } = options;
  const opened = await openEngine({
    password: PASSWORD,
    onKill: (session) => server.disconnect(session),
    ...(directory === undefined ? {} : { directory }),
  });
  const server = await startTdsServer({
    ...serverOptions,
    engine: listener === undefined ? opened.engine : overheard(opened.engine, listener),
  });
  const { host, port } = server;
  const stop = async (end: () => void): Promise<void> => {
    await server.close();
    end();
  };
  const encrypted = options.tls !== undefined;
  return {
    host,
    port,
    user: USER,
    password: PASSWORD,
    faults: {
      wire: server.faults,
      engine: opened.faults,
      cleanUp: (database, upTo = Number.MAX_SAFE_INTEGER) =>
        opened.faults.cleanUpChangeTracking(database, upTo),
      setBack: (database, version) => opened.faults.restoreChangeTracking(database, version),
    },
    url: (database = 'master') =>
      `sqlserver://${USER}:${PASSWORD}@${host}:${port}/${database}?encrypt=${encrypted}&trustServerCertificate=true`,
    cutConnections: () => server.cutConnections(),
    crash: () => stop(() => opened.crash()),
    close: () => stop(() => opened.close()),
  };
}
