/** A TDS server that knows its answers by heart, and sessions of the connector to it. */
import { parseSqlServerOptions } from '../../../connectors/sqlserver/options.ts';
import { Session, type SessionContext } from '../../../connectors/sqlserver/session.ts';
import { type Logger, silentLogger } from '../../../src/log.ts';
import {
  startTdsServer,
  type TdsServer,
  type TdsServerOptions,
} from '../../simulators/sqlserver/tds/server.ts';
import { PASSWORD, ScriptedEngine, USER } from '../../simulators/sqlserver/wire/scripted-engine.ts';

export class ScriptedServer {
  readonly engine: ScriptedEngine;
  readonly server: TdsServer;
  readonly #sessions: Session[] = [];

  private constructor(engine: ScriptedEngine, server: TdsServer) {
    this.engine = engine;
    this.server = server;
  }

  static async start(options: Omit<TdsServerOptions, 'engine'> = {}): Promise<ScriptedServer> {
    const engine = new ScriptedEngine();
    return new ScriptedServer(engine, await startTdsServer({ ...options, engine }));
  }

  context(
    config: Readonly<Record<string, unknown>> = {},
    more: { readonly port?: number; readonly logger?: Logger; readonly database?: string } = {},
  ): SessionContext {
    const { options = {}, ...rest } = config;
    const { connection } = parseSqlServerOptions({
      realmConfig: { server: 'http://127.0.0.1:1', user: { username: 'a', password: 'b' } },
      dbName: more.database ?? 'shop',
      realmRegex: '/shop',
      schema: [],
      sqlserverConfig: {
        server: this.server.host,
        port: more.port ?? this.server.port,
        user: USER,
        password: PASSWORD,
        ...rest,
        options: { encrypt: false, maxRetriesOnTransientErrors: 0, ...Object(options) },
      },
    });
    return {
      connection,
      logger: more.logger ?? silentLogger,
      printCommands: more.logger !== undefined,
      adapterName: 'shop',
    };
  }

  async session(...parameters: Parameters<ScriptedServer['context']>): Promise<Session> {
    const session = await Session.open(this.context(...parameters));
    this.#sessions.push(session);
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.splice(0)) await session.close();
    await this.server.close();
  }
}
