/** `isthmus demo` as a process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../../src/cli/demo/free-port.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export type Demo = { readonly output: () => string; readonly stop: () => Promise<number | null> };

/** Resolves when everything runs. */
export async function startDemo(data: string, ...more: readonly string[]): Promise<Demo> {
  const ports = ['--port', '--postgres-port', '--sqlserver-port'];
  const chosen = await Promise.all(ports.map(async (name) => [name, String(await freePort(0))]));
  const child = spawn(process.execPath, [MAIN, 'demo', '--data', data, ...chosen.flat(), ...more]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'close');
  try {
    await expect
      .poll(() => output + (child.exitCode ?? ''), { timeout: 90_000 })
      .toContain('Every synced transaction appears below');
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    output: () => output,
    stop: async () => {
      child.kill('SIGINT');
      const [code] = await ended;
      return typeof code === 'number' ? code : null;
    },
  };
}
