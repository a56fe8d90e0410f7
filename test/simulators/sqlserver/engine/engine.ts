/** The in-memory SQL Server: opens, takes logins, and can be made to fail. */
import { randomBytes } from 'node:crypto';
import { type SqlEngine, SqlFailure, type SqlSession } from '../contract.ts';
import { Access } from './catalog/access.ts';
import type { Faults } from './faults.ts';
import { Journal } from './journal/journal.ts';
import { Connection } from './session/connection.ts';
import { Session } from './session/session.ts';
import { Instance } from './storage/instance.ts';

export type EngineOptions = {
  /** The password of `sa`. */
  readonly password: string;
  /** Where commits are recorded, so that they survive the process; absent: nowhere. */
  readonly directory?: string;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Called when a session is ended by another one (KILL, ROLLBACK IMMEDIATE). */
  readonly onKill?: (session: number) => void;
};

const SYSTEM_DATABASES = ['master', 'tempdb', 'model', 'msdb'];
/** SQL Server gives the numbers up to 50 to itself. */
const FIRST_SESSION = 51;

export class Engine implements SqlEngine {
  readonly #instance: Instance;
  readonly #journal: Journal | undefined;
  readonly #onKill: ((session: number) => void) | undefined;
  #nextSession = FIRST_SESSION;

  constructor(options: EngineOptions) {
    const instance = new Instance(options.now);
    this.#instance = instance;
    this.#onKill = options.onKill;
    for (const [at, name] of SYSTEM_DATABASES.entries()) instance.addDatabase(name, 'sa', at + 1);
    if (options.directory !== undefined) {
      this.#journal = new Journal(options.directory, instance);
      instance.log = this.#journal;
    }
    const known = instance.logins.get('sa');
    instance.logins.set('sa', {
      name: 'sa',
      password: options.password,
      sid: known?.sid ?? randomBytes(16),
      principalId: 1,
      disabled: false,
      defaultDatabase: 'master',
      roles: new Set(['sysadmin']),
      permissions: new Set(),
    });
  }

  get faults(): Faults {
    return this.#instance.faults;
  }

  login(login: Parameters<SqlEngine['login']>[0]): SqlSession {
    const instance = this.#instance;
    const found = instance.logins.get(login.user.toLowerCase());
    if (!found || found.disabled || found.password !== login.password) {
      throw new SqlFailure(18456, `Login failed for user '${login.user}'.`, { severity: 14 });
    }
    const wanted =
      login.database === undefined || login.database === '' ? found.defaultDatabase : login.database;
    const database = instance.database(wanted);
    const session =
      database?.state === 'online'
        ? new Session(instance, this.#nextSession, found, database, login, (one) => new Access(one))
        : undefined;
    if (!database || !session?.access.mayUse(database)) {
      throw new SqlFailure(
        4060,
        `Cannot open database "${wanted}" requested by the login. The login failed.`,
        {
          severity: 11,
        },
      );
    }
    this.#nextSession++;
    const connection = new Connection(session);
    session.end = () => {
      connection.close();
      this.#onKill?.(session.id);
    };
    instance.sessions.set(session.id, session);
    return connection;
  }

  crash(): void {
    this.#journal?.close();
  }

  close(): void {
    for (const session of [...this.#instance.sessions.values()]) session.end();
    this.#journal?.close();
  }
}
