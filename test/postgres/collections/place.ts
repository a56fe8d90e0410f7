/** A database with tables of its own making, the realm behind it, and devices, without a network between them. */
import type { Device } from '../../conformance/deployment.ts';
import { Deployment, type DeploymentOptions } from '../../conformance/deployment.ts';
import { PostgresTestDatabase } from '../../conformance/postgres-target.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

export type Place = {
  readonly deployment: Deployment;
  readonly device: Device;
  /** Runs SQL as an application, and returns the rows of the last statement as texts. */
  readonly sql: (
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Record<string, string | null>[]>;
};

export class Places {
  readonly #postgres: TestPostgres;
  readonly #open: Deployment[] = [];

  private constructor(postgres: TestPostgres) {
    this.#postgres = postgres;
  }

  static async start(): Promise<Places> {
    return new Places(await startTestPostgres());
  }

  /** Makes the tables by `ddl`; `filled` runs after them, and its rows are loaded. The connector runs at the end. */
  async open(
    ddl: string,
    models: DeploymentOptions['models'],
    options: DeploymentOptions['options'] & { readonly filled?: string } = {},
  ): Promise<Place> {
    const { filled, ...rest } = options;
    const name = await this.#postgres.createDatabase();
    const sql: Place['sql'] = (text, values) => this.#postgres.query(name, text, values);
    if (ddl !== '') await sql(ddl);
    if (filled !== undefined) await sql(filled);
    const database = new PostgresTestDatabase(this.#postgres, name);
    const deployment = await Deployment.open(database, { models, options: rest });
    this.#open.push(deployment);
    if (filled !== undefined) {
      await deployment.load();
      await deployment.stop();
    }
    await deployment.start();
    const device = deployment.device();
    await deployment.settle();
    return { deployment, device, sql };
  }

  async closeAll(): Promise<void> {
    for (const deployment of this.#open.splice(0)) await deployment.close();
  }

  async stop(): Promise<void> {
    await this.#postgres.stop();
  }
}
