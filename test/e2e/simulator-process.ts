/** SQL Server's simulator as a process of its own, which SIGKILL ends, and what its journal tells of checkpoints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/isthmus-processes.ts';
import { type TestSqlServer, testServer } from '../support/sqlserver.ts';
import { type Checkpoint, checkpointsIn } from './simulator-journal.ts';

const PROGRAM = fileURLToPath(new URL('../simulators/sqlserver/program.ts', import.meta.url));

export class SimulatorProcess {
  readonly #directory: string;
  readonly #port: number;
  readonly #before: Checkpoint[] = [];
  #child: ChildProcess | undefined;
  #server: TestSqlServer | undefined;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  /** Keeps its databases in `directory`. Resolves when it can be connected to. */
  static async start(directory: string): Promise<SimulatorProcess> {
    const simulator = new SimulatorProcess(join(directory, 'sqlserver'), await freePort());
    const url = await simulator.#start();
    simulator.#server = testServer(url, {
      crash: () => simulator.#crash(),
      start: async () => {
        await simulator.#start();
      },
      stop: () => simulator.#kill(),
    });
    return simulator;
  }

  get server(): TestSqlServer {
    if (this.#server === undefined) throw new Error('the simulator has not started');
    return this.#server;
  }

  /** The sequence of every checkpoint of a realm that was ever committed, in the order of the commits. */
  checkpoints(realm: string): readonly number[] {
    const all = [...this.#before, ...checkpointsIn(this.#directory)];
    return all.filter((checkpoint) => checkpoint.realm === realm).map(({ sequence }) => sequence);
  }

  async #start(): Promise<URL> {
    const child = spawn(
      process.execPath,
      [PROGRAM, '--directory', this.#directory, '--port', String(this.#port)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      const told: unknown = JSON.parse(line);
      if (typeof told === 'object' && told !== null && 'url' in told) return new URL(String(told.url));
    }
    throw new Error('the simulator ended');
  }

  async #crash(): Promise<void> {
    await this.#kill();
    // The next start writes the journal anew, without the commits that led to its state.
    this.#before.push(...checkpointsIn(this.#directory));
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
