/** A server of its own process, with what it takes of the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FlexibleSyncOptions } from '../../src/server/sync/flexible-options.ts';

const PROGRAM = fileURLToPath(new URL('../../test/server/support/server-process.ts', import.meta.url));
/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

export class BenchServer {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** `profile` is a directory for a profile of the processor, written when the server stops. */
  static async start(
    dataDirectory: string,
    flexibleSync: FlexibleSyncOptions,
    profile: string | undefined,
  ): Promise<BenchServer> {
    const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const child = spawn(
      process.execPath,
      [...flags, PROGRAM, dataDirectory, JSON.stringify({ flexibleSync })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    for await (const line of createInterface(child.stdout)) return new BenchServer(line, child);
    throw new Error('the server ended without a word');
  }

  /** Peak resident memory in bytes. */
  peakMemory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Seconds of processor time, all threads together. */
  processorSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    // After the name in parentheses: utime and stime are fields 14 and 15 of all.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
