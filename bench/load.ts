/** Loading one table against reading the same table with COPY, and the memory of each process. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { type Deployment, type IsthmusProcess, untilServing } from '../test/support/isthmus-processes.ts';
import { megabytes, type Row, seconds, thousands } from './measure.ts';

export async function fillTable(connectionString: string, rows: number): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`
    CREATE TABLE measurement (
      id bigint PRIMARY KEY, device text NOT NULL, taken timestamptz NOT NULL, value double precision NOT NULL,
      price numeric(12,2) NOT NULL, active boolean NOT NULL, note text
    )`);
  await client.query(
    `INSERT INTO measurement
     SELECT i, 'device-' || i % 1000, timestamptz '2020-01-01' + i * interval '1 second', i * 0.37,
       (i % 100000) / 100.0, i % 3 = 0, CASE WHEN i % 4 = 0 THEN NULL ELSE 'note ' || md5(i::text) END
     FROM generate_series(1, $1::int) AS i`,
    [rows],
  );
  await client.query('ANALYZE measurement');
  await client.end();
}

/** Seconds that Node needs to read the table through COPY and throw it away. */
async function copySeconds(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const elapsed = await seconds(async () => {
    for await (const chunk of client.query(copyTo('COPY measurement TO STDOUT'))) void chunk;
  });
  await client.end();
  return elapsed;
}

export async function benchLoad(
  deployment: Deployment,
  server: IsthmusProcess,
  connectionString: string,
  rows: number,
): Promise<Row[]> {
  await untilServing(deployment, server);
  const baseline = await copySeconds(connectionString);
  const loader = deployment.start('load');
  let peak = 0;
  const watch = (async () => {
    let running = true;
    void loader.exited.then(() => {
      running = false;
    });
    while (running) {
      try {
        peak = Math.max(peak, loader.peakMemory());
      } catch {
        return; // it ended between the check and the look
      }
      await sleep(50);
    }
  })();
  const elapsed = await seconds(async () => {
    const code = await loader.exited;
    if (code !== 0) throw new Error(`the loader ended with ${code}:\n${loader.log}`);
  });
  await watch;
  return [
    [
      `COPY of ${thousands(rows)} rows of 7 columns to Node`,
      `${thousands(rows / baseline)} rows/s`,
      `${baseline.toFixed(2)} s`,
    ],
    [
      'load of the same table, durable on the server (process start included)',
      `${thousands(rows / elapsed)} rows/s`,
      `${elapsed.toFixed(2)} s; ${(elapsed / baseline).toFixed(1)} × COPY`,
    ],
    ['peak memory of the loader', megabytes(peak), `${thousands(rows)} rows`],
    ['peak memory of the server after the load', megabytes(server.peakMemory()), `${thousands(rows)} rows`],
  ];
}
