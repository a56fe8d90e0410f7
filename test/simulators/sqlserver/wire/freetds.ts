/** FreeTDS, a client of SQL Server that shares nothing with the driver: Debian's package `freetds-bin`. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

const TSQL = process.env.ISTHMUS_TEST_TSQL ?? '/usr/bin/tsql';

/** False where it cannot be had; the tests that need it say so. */
export const hasFreeTds = existsSync(TSQL);
if (!hasFreeTds) {
  console.warn(
    `\n*** There is no FreeTDS at ${TSQL}: the SQL Server simulator is NOT cross-checked with a second client. ` +
      'Install Debian’s package "freetds-bin", or name a tsql in ISTHMUS_TEST_TSQL. ***\n',
  );
}

export type Target = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Whether to go on where the server has no TLS. */
  readonly encryption: 'request' | 'require';
};
export type Run = {
  readonly output: string;
  /** What it did, packet by packet. */
  readonly log: string;
};

export class FreeTds {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(): Promise<FreeTds> {
    return new FreeTds(await mkdtemp(join(tmpdir(), 'isthmus-freetds-')));
  }

  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Runs batches. Columns are shown with tabs between them. */
  async tsql(target: Target, batches: readonly string[]): Promise<Run> {
    const input = `${batches.map((batch) => `${batch}\ngo\n`).join('')}exit\n`;
    return this.#run(TSQL, target, ['-D', target.database, '-o', 'hq'], input);
  }

  /** Loads rows in bulk, given as texts. */
  async load(target: Target, table: string, rows: readonly (readonly string[])[]): Promise<Run> {
    const file = join(this.#directory, 'rows.bcp');
    await writeFile(file, rows.map((row) => `${row.join('\t')}\n`).join(''));
    const program = join(dirname(TSQL), 'freebcp');
    return this.#run(program, target, [`${target.database}.dbo.${table}`, 'in', file, '-c', '-t', '\t'], '');
  }

  async #run(program: string, target: Target, parameters: readonly string[], input: string): Promise<Run> {
    const configuration = join(this.#directory, 'freetds.conf');
    const log = join(this.#directory, 'dump.log');
    await writeFile(configuration, configurationOf(target));
    const login = ['-I', configuration, '-S', 'simulator', '-U', target.user, '-P', target.password];
    const given = program === TSQL ? [...login, ...parameters] : [...parameters, ...login];
    const child = spawn(program, given, { env: { ...process.env, LC_ALL: 'C.UTF-8', TDSDUMP: log } });
    child.stdin.end(input);
    const [printed, complained] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { output: printed + complained, log: await readFile(log, 'latin1') };
  }
}

function configurationOf({ host, port, encryption }: Target): string {
  return `[simulator]
host = ${host}
port = ${port}
tds version = 7.4
client charset = UTF-8
encryption = ${encryption}
text size = 1000000
`;
}
