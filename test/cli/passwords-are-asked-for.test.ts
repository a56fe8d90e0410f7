/** `isthmus user` in a terminal, which util-linux's `script` provides, and while a server is just starting. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startServer } from '../../src/server/start-server.ts';
import { openServerStore } from '../../src/store/server/open.ts';
import { Api } from '../server/support/api.ts';

const COMMAND = join(import.meta.dirname, '../../bin/isthmus.js');
const SCRIPT = '/usr/bin/script';
const ADMIN = { adminUser: 'root', adminPassword: 'correct horse' };

type Terminal = {
  readonly screen: () => string;
  readonly type: (text: string) => void;
  readonly ended: Promise<number | null>;
};

let directory: string;
let dataDirectory: string;
const running = new Set<ChildProcess>();
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isthmus-terminal-'));
  dataDirectory = join(directory, 'data');
  await writeFile(join(directory, 'config.json'), JSON.stringify({ server: { dataDirectory: 'data' } }));
  const server = await startServer({ dataDirectory, port: 0, ...ADMIN });
  await server.close();
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

function open(program: string, args: readonly string[]): Terminal {
  const child = spawn(program, args, { cwd: directory });
  running.add(child);
  let screen = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      screen += text;
    });
  }
  return {
    screen: () => screen,
    type: (text) => void child.stdin.write(text),
    ended: once(child, 'close').then(([code]) => {
      running.delete(child);
      return typeof code === 'number' ? code : null;
    }),
  };
}

function inTerminal(...args: string[]): Terminal {
  const command = [process.execPath, COMMAND, 'user', ...args].map((part) => `'${part}'`).join(' ');
  return open(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null']);
}

async function answer(terminal: Terminal, question: string, text: string): Promise<void> {
  await expect.poll(terminal.screen, { timeout: 30_000 }).toContain(question);
  terminal.type(text);
}

describe.skipIf(!existsSync(SCRIPT))('in a terminal', () => {
  test('a password is asked for twice and never shown', async () => {
    const terminal = inTerminal('create', 'ann');
    await answer(terminal, 'Password: ', 'open sesame\r');
    await answer(terminal, 'Once more: ', 'open sesame\r');
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen()).not.toContain('sesame');
    const server = await startServer({ dataDirectory, port: 0, ...ADMIN });
    try {
      expect(
        (await new Api(server.url).login('local-userpass', { username: 'ann', password: 'open sesame' }))
          .status,
      ).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('two passwords that differ make nobody', async () => {
    const terminal = inTerminal('create', 'ann');
    await answer(terminal, 'Password: ', 'open sesame\r');
    await answer(terminal, 'Once more: ', 'open barley\r');
    expect(await terminal.ended).toBe(2);
    expect(terminal.screen()).toContain('not the same');
  });

  test('Ctrl-C at a question ends the command', async () => {
    const terminal = inTerminal('create', 'ann');
    await answer(terminal, 'Password: ', '\u0003');
    expect(await terminal.ended).toBe(130);
    expect(terminal.screen()).not.toContain('    at ');
  });

  test('the end of the input at a question ends the command', async () => {
    const terminal = inTerminal('create', 'ann');
    await answer(terminal, 'Password: ', '\u0004');
    expect(await terminal.ended).toBe(2);
    expect(terminal.screen()).toContain('there was no answer');
  });

  test('nobody is deleted without a yes', async () => {
    const terminal = inTerminal('delete', 'root');
    await answer(terminal, 'Type yes: ', 'y\r');
    expect(await terminal.ended).toBe(0);
    expect(terminal.screen()).toContain('Nothing was deleted.');
  });
});

test('a directory that a server holds, which does not answer, is left alone', async () => {
  const store = await openServerStore(join(dataDirectory, 'realms'));
  try {
    const command = open(process.execPath, [COMMAND, 'user', 'list']);
    expect(await command.ended).toBe(3);
    expect(command.screen()).toContain(`in use by another process (${process.pid})`);
  } finally {
    await store.close();
  }
});
