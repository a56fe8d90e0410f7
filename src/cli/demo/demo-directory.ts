/** What the demo keeps between two starts, all below one directory. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../config/config-error.ts';
import { startEmbeddedPostgres } from '../../embedded/postgres.ts';

const STATE_FILE = 'demo.json';
const PASSWORD_BYTES = 12;
const stateSchema = z.object({
  adminPassword: z.string(),
  loaded: z.boolean(),
  database: z.enum(['postgres', 'sqlserver']).default('postgres'),
});
export type DemoState = z.infer<typeof stateSchema>;

export class DemoDirectory {
  readonly path: string;
  #state: DemoState;

  private constructor(path: string, state: DemoState) {
    this.path = path;
    this.#state = state;
  }

  /**
   * Opens the directory and makes it when it does not exist. Throws `ConfigError` when it holds the demo of another
   * database.
   */
  static open(directory: string, database: DemoState['database'] = 'postgres'): DemoDirectory {
    const path = resolve(directory);
    mkdirSync(path, { recursive: true });
    const file = join(path, STATE_FILE);
    if (existsSync(file)) {
      const state = stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      if (state.database === database) return new DemoDirectory(path, state);
      const message = `${path} holds the demo on ${state.database}: name another directory, or add --reset to start over`;
      throw new ConfigError('The command line', [{ path: 'data', message }]);
    }
    const adminPassword = randomBytes(PASSWORD_BYTES).toString('base64url');
    const made = new DemoDirectory(path, { adminPassword, loaded: false, database });
    made.#save();
    return made;
  }

  /** Removes what an earlier demo left; other files in the directory stay. */
  static async reset(directory: string): Promise<void> {
    const path = resolve(directory);
    if (!existsSync(join(path, STATE_FILE))) return;
    const postgres = join(path, 'postgres');
    if (existsSync(join(postgres, 'data', 'postmaster.pid'))) {
      // A server that outlived its killed starter is ended this way, and one in use is refused.
      await (await startEmbeddedPostgres({ directory: postgres })).stop();
    }
    for (const name of ['postgres', 'sqlserver', 'server', 'adapter', STATE_FILE]) {
      rmSync(join(path, name), { recursive: true, force: true });
    }
  }

  get state(): DemoState {
    return this.#state;
  }

  below(name: 'postgres' | 'sqlserver' | 'server' | 'adapter'): string {
    return join(this.path, name);
  }

  /** Notes that the load is complete, so that the next start need not compare again. */
  markLoaded(): void {
    this.#state = { ...this.#state, loaded: true };
    this.#save();
  }

  #save(): void {
    const file = join(this.path, STATE_FILE);
    writeFileSync(`${file}.new`, JSON.stringify(this.#state), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}
