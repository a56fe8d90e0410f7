/** Devices with the real Realm SDK, each a process of its own (device.mjs). */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { EJSON } from 'bson';

const PROGRAM = join(import.meta.dirname, 'device.mjs');
/** A bare check of whether the native part can be loaded. */
const LOADS = 'require(process.argv[1]); process.exit(0)';

/** The folder of the `realm` package with its native part; undefined when there is none on this machine. */
export function findSdk(): string | undefined {
  const folder = process.env.ISTHMUS_TEST_REALM_SDK ?? installed();
  if (folder === undefined) return undefined;
  const { status } = spawnSync(process.execPath, ['-e', LOADS, folder], { timeout: 30_000 });
  return status === 0 ? folder : undefined;
}

function installed(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('realm/package.json'));
  } catch {
    return undefined;
  }
}

/** What the SDK threw on the device. */
export class DeviceError extends Error {
  readonly details: Readonly<Record<string, unknown>>;

  constructor(details: Readonly<Record<string, unknown>>) {
    super(String(details.message));
    this.details = details;
  }
}

type Answer = {
  readonly id?: number;
  readonly result?: string;
  readonly error?: Readonly<Record<string, unknown>>;
};
type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

export class Device {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** How the process ended, if it did by itself. */
  #end: string | undefined;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (answer: Answer) => this.#answered(answer));
    process.on('exit', (code, signal) => this.#ended(signal ?? `code ${code}`));
  }

  /** Starts a device that keeps its files in `directory` and uses the server at `url`. */
  static async start(sdk: string, directory: string, url: string): Promise<Device> {
    const child = fork(PROGRAM, [sdk, directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    const device = new Device(child);
    await device.ask('app', { url });
    return device;
  }

  /** Rejects with {@link DeviceError}, or with another error when the process ended. */
  async ask(operation: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    if (this.#end !== undefined) throw new Error(`the device ended with ${this.#end}`);
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#process.send({ id, operation, given: EJSON.stringify(given, { relaxed: false }) });
    return promise;
  }

  /** Ends the process at once, as when the battery is taken out. */
  async kill(): Promise<void> {
    if (this.#end !== undefined) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  #answered({ id = 0, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) waiting?.reject(new DeviceError(error));
    else waiting?.resolve(result === undefined ? undefined : EJSON.parse(result, { relaxed: true }).value);
  }

  #ended(how: string): void {
    this.#end = how;
    for (const { reject } of this.#waiting.values()) reject(new Error(`the device ended with ${how}`));
    this.#waiting.clear();
  }
}

/** A new folder below the system's temporary one, and what removes it. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'isthmus-sdk-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
