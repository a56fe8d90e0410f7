/**
 * Sees to it that the tests have the programs of others that they test against: a browser, and a second client of SQL
 * Server. Installs Debian's packages where that is possible. Elsewhere the tests say what they skip.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const APT = '/usr/bin/apt-get';
const NEEDED = [
  {
    name: 'chromium',
    program: process.env.ISTHMUS_TEST_CHROMIUM ?? '/usr/bin/chromium',
    missing: 'There is no Chromium, and it cannot be installed here: the browser tests will be skipped.',
  },
  {
    name: 'freetds-bin',
    program: process.env.ISTHMUS_TEST_TSQL ?? '/usr/bin/tsql',
    missing:
      'There is no FreeTDS, and it cannot be installed here: its cross-check of the SQL Server simulator will be skipped.',
  },
];

function apt(...args) {
  const { status } = spawnSync(APT, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

const missing = () => NEEDED.filter(({ program }) => !existsSync(program));

const wanted = missing().map(({ name }) => name);
const isRootOnDebian = existsSync(APT) && process.getuid?.() === 0;
if (wanted.length > 0 && isRootOnDebian) {
  console.log(`Installing ${wanted.join(' and ')} for the tests`);
  const install = ['install', '-y', '-q', '--no-install-recommends', ...wanted];
  if (!apt(...install)) apt('update', '-q') && apt(...install);
}
for (const { missing: sentence } of missing()) console.warn(sentence);
