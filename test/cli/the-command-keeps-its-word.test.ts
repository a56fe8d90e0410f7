import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

let directory: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

function begin(
  script: string,
  args: readonly string[],
): { child: ChildProcess; ended: Promise<Ended>; output: () => string } {
  const { ISTHMUS_PORT: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { cwd: directory, env });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: typeof code === 'number' ? code : null, stdout, stderr };
  });
  return { child, ended, output: () => stdout + stderr };
}

const isthmus = (...args: string[]): Promise<Ended> => begin('bin/isthmus.js', args).ended;

describe('--help', () => {
  test('of the command lists every subcommand and the exit codes', async () => {
    const { code, stdout } = await isthmus('--help');
    expect(code).toBe(0);
    for (const name of ['server', 'load', 'adapter', 'start', 'demo']) expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain('Exit codes:');
  });

  test.each(['server', 'load', 'adapter', 'start'])('of %s names --config', async (name) => {
    const { code, stdout } = await isthmus(name, '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('--config <file>');
  });

  test('of demo names its options', async () => {
    const { code, stdout } = await isthmus('demo', '--help');
    expect(code).toBe(0);
    for (const option of ['--data', '--reset', '--port', '--postgres-port']) expect(stdout).toContain(option);
  });
});

test('a reader of the output that goes away is no failure', async () => {
  const { child, ended } = begin('bin/isthmus.js', ['--help']);
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

describe('exit code 2 is for', () => {
  test('a command that does not exist, with the nearest that does', async () => {
    const { code, stderr } = await isthmus('lod');
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean load?');
  });

  test('an option that does not exist', async () => {
    expect((await isthmus('server', '--prot', '1')).code).toBe(2);
  });

  test.each(['load', 'adapter', 'start'])('%s without a configuration', async (name) => {
    const { code, stderr } = await isthmus(name);
    expect(code).toBe(2);
    expect(stderr).toContain('config.example.ts');
    expect(stderr).not.toContain('    at ');
  });

  test.each(['loader.js', 'adapter.js'])(
    'a wrong configuration of %s, every mistake named',
    async (script) => {
      await writeFile(
        join(directory, 'config.json'),
        JSON.stringify({ database_nam: 'x', connector: { loadOnline: 1 } }),
      );
      const { code, stderr } = await begin(script, []).ended;
      expect(code).toBe(2);
      expect(stderr).toContain('did you mean database_name?');
      expect(stderr).toContain('connector.loadOnline: expected true or false, found 1');
    },
  );

  test('a port that is none', async () => {
    const { code, stderr } = await isthmus('demo', '--port', 'many');
    expect(code).toBe(2);
    expect(stderr).toContain('port: expected a whole number from 1 to 65535');
  });
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'a server stops in good order on %s, with exit code 0',
  async (signal) => {
    const config = { server: { port: 0, dataDirectory: join(directory, 'data') } };
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    const { child, ended, output } = begin('bin/isthmus.js', ['server', '--config', 'config.json']);
    await expect.poll(output, { timeout: 30_000 }).toContain('was made with the password');
    expect(output()).toContain('was made with the password');
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0 });
  },
);

describe('signals', () => {
  const hanging = `
    import { listenForStopSignals } from '${join(ROOT, 'src/cli/stop-signals.ts')}';
    const { signal } = listenForStopSignals((line) => console.log(line));
    setInterval(() => {}, 1000);
    signal.addEventListener('abort', () => console.log('asked to stop'));
    console.log('ready');
  `;

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second %s ends a process that does not stop, with exit code %i', async (signal, code) => {
    await writeFile(join(directory, 'hanging.mts'), hanging);
    const child = spawn(process.execPath, [join(directory, 'hanging.mts')], { cwd: ROOT });
    running.add(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const ended = once(child, 'close');
    await expect.poll(() => output, { timeout: 30_000 }).toContain('ready');
    child.kill(signal);
    await expect.poll(() => output, { timeout: 30_000 }).toContain('asked to stop');
    child.kill(signal);
    expect((await ended)[0]).toBe(code);
    running.delete(child);
  });
});
