/** The SQL Server simulator of the tests as a process, for those who have no SQL Server at hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DemoError } from './demo-error.ts';

export type SimulatorProcess = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  stop(): Promise<void>;
};

const STOP_DEADLINE_MILLISECONDS = 10_000;
const readySchema = z.object({ host: z.string(), port: z.number(), user: z.string(), password: z.string() });

/** Starts it on what `directory` holds. Throws `DemoError` when it does not come up. */
export async function startSimulator(directory: string, port: number): Promise<SimulatorProcess> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const program = new URL(`../../../test/simulators/sqlserver/program.${extension}`, import.meta.url);
  const simulator = spawn(
    process.execPath,
    [fileURLToPath(program), '--directory', directory, '--port', String(port)],
    // Ctrl-C is for the demo, which still needs the database while it stops.
    { stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  const ended = once(simulator, 'exit');
  const end = (): void => void simulator.kill('SIGKILL');
  process.once('exit', end);
  try {
    const ready = await Promise.race([
      once(createInterface(simulator.stdout), 'line').then(([line]) =>
        readySchema.parse(JSON.parse(String(line))),
      ),
      ended.then(([code]) => {
        throw new DemoError(`the SQL Server simulator did not start (exit code ${code})`);
      }),
    ]);
    return {
      ...ready,
      stop: async () => {
        simulator.kill('SIGTERM');
        const deadline = setTimeout(end, STOP_DEADLINE_MILLISECONDS);
        await ended;
        clearTimeout(deadline);
        process.off('exit', end);
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}
