/** What the demo keeps between two starts, all below one directory. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { startEmbeddedPostgres } from '../../embedded/postgres.ts';

const STATE_FILE = 'demo.json';
const PASSWORD_BYTES = 12;
const stateSchema = z.object({ adminPassword: z.string(), loaded: z.boolean() });
export type DemoState = z.infer<typeof stateSchema>;

export class DemoDirectory {
  readonly path: string;
  #state: DemoState;

  private constructor(path: string, state: DemoState) {
    this.path = path;
    this.#state = state;
  }

  /** Opens the directory and makes it when it does not exist. */
  static open(directory: string): DemoDirectory {
    const path = resolve(directory);
    mkdirSync(path, { recursive: true });
    const file = join(path, STATE_FILE);
    if (existsSync(file))
      return new DemoDirectory(path, stateSchema.parse(JSON.parse(readFileSync(file, 'utf8'))));
    const fresh = { adminPassword: randomBytes(PASSWORD_BYTES).toString('base64url'), loaded: false };
    const made = new DemoDirectory(path, fresh);
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
    for (const name of ['postgres', 'server', 'adapter', STATE_FILE]) {
      rmSync(join(path, name), { recursive: true, force: true });
    }
  }

  get state(): DemoState {
    return this.#state;
  }

  below(name: 'postgres' | 'server' | 'adapter'): string {
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
