/** The driver that the connector uses, with promises. */
import type { EventEmitter } from 'node:events';
import { Connection, type ConnectionConfiguration, Request } from 'tedious';
import type { TdsServer } from '../tds/server.ts';
import { PASSWORD, USER } from './scripted-engine.ts';

export type ClientOptions = {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly encrypt?: boolean;
  readonly packetSize?: number;
  readonly requestTimeout?: number;
};

export type Parameters = Readonly<Record<string, { readonly type: ParameterType; readonly value: unknown }>>;
type ParameterType = globalThis.Parameters<Request['addParameter']>[1];

export type Answer = {
  /** Values as the driver gives them, of all result sets. */
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number | undefined;
  readonly columns: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly status: number | undefined;
};

export class TediousClient {
  readonly connection: Connection;
  readonly messages: string[] = [];
  readonly events: string[] = [];

  private constructor(connection: Connection) {
    this.connection = connection;
    connection.on('infoMessage', ({ message }) => this.messages.push(message));
    const untyped: EventEmitter = connection; // the driver emits it without having declared it
    untyped.on('rollbackTransaction', () => this.events.push('rolled back'));
    connection.on('resetConnection', () => this.events.push('reset'));
    connection.on('databaseChange', (name: string) => this.events.push(`database ${name}`));
    connection.on('error', () => {}); // what fails is told to whoever asked for it
  }

  static async connect(
    server: Pick<TdsServer, 'host' | 'port'>,
    options: ClientOptions = {},
  ): Promise<TediousClient> {
    const {
      user = USER,
      password = PASSWORD,
      database,
      encrypt = false,
      packetSize,
      requestTimeout = 15_000,
    } = options;
    const configuration: ConnectionConfiguration = {
      server: server.host,
      authentication: { type: 'default', options: { userName: user, password } },
      options: {
        port: server.port,
        encrypt,
        trustServerCertificate: true,
        requestTimeout,
        cancelTimeout: 10_000,
        maxRetriesOnTransientErrors: 0,
        ...(database === undefined ? {} : { database }),
        ...(packetSize === undefined ? {} : { packetSize }),
      },
    };
    const client = new TediousClient(new Connection(configuration));
    await new Promise<void>((resolve, reject) => {
      client.connection.connect((error) => (error === undefined ? resolve() : reject(error)));
    });
    return client;
  }

  batch(sql: string): Promise<Answer> {
    return this.#send(sql, {}, (request) => this.connection.execSqlBatch(request));
  }

  query(sql: string, parameters: Parameters = {}): Promise<Answer> {
    return this.#send(sql, parameters, (request) => this.connection.execSql(request));
  }

  /** The output parameters come first. */
  call(procedure: string, parameters: Parameters, outputs: Parameters): Promise<Answer> {
    return this.#send(procedure, {}, (request) => {
      for (const [name, { type, value }] of Object.entries(outputs)) {
        request.addOutputParameter(name, type, value);
      }
      for (const [name, { type, value }] of Object.entries(parameters)) {
        request.addParameter(name, type, value);
      }
      this.connection.callProcedure(request);
    });
  }

  /** Executes `sql` and calls `onRow` with every row; when it returns `true`, the request is cancelled. */
  queryUntil(sql: string, onRow: (row: readonly unknown[]) => boolean): Promise<Answer> {
    return this.#send(sql, {}, (request) => {
      request.on('row', (columns: readonly { readonly value: unknown }[]) => {
        if (onRow(columns.map(({ value }) => value))) this.connection.cancel();
      });
      this.connection.execSql(request);
    });
  }

  transact(work: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      work((error) => (error ? reject(error) : resolve()));
    });
  }

  reset(): Promise<void> {
    return this.transact((done) => this.connection.reset(done));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.connection.once('end', () => resolve());
      this.connection.close();
    });
  }

  #send(sql: string, parameters: Parameters, execute: (request: Request) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const rows: unknown[][] = [];
      const columns: string[] = [];
      const outputs: Record<string, unknown> = {};
      let status: number | undefined;
      const request = new Request(sql, (error, rowCount) => {
        if (error) reject(error);
        else resolve({ rows, rowCount, columns, outputs, status });
      });
      for (const [name, { type, value }] of Object.entries(parameters))
        request.addParameter(name, type, value);
      request.on('columnMetadata', (metadata) => {
        if (!Array.isArray(metadata)) return;
        columns.push(...metadata.map((column) => `${column.colName} ${column.type.name}`));
      });
      request.on('row', (row: readonly { readonly value: unknown }[]) =>
        rows.push(row.map(({ value }) => value)),
      );
      request.on('returnValue', (name, value) => {
        outputs[name] = value;
      });
      request.on('doneProc', (_count, _more, returned) => {
        status = returned;
      });
      execute(request);
    });
  }
}
