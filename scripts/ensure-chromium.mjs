/**
 * Sees to it that the browser tests have a browser: installs Debian's Chromium where that is possible. Elsewhere the
 * tests say that they skip the browser.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const CHROMIUM = process.env.ISTHMUS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const APT = '/usr/bin/apt-get';

function apt(...args) {
  const { status } = spawnSync(APT, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

if (!existsSync(CHROMIUM)) {
  const isRootOnDebian = existsSync(APT) && process.getuid?.() === 0;
  if (isRootOnDebian) {
    console.log('Installing Chromium for the browser tests');
    const install = ['install', '-y', '-q', '--no-install-recommends', 'chromium'];
    if (!apt(...install)) apt('update', '-q') && apt(...install);
  }
  if (!existsSync(CHROMIUM)) {
    console.warn('There is no Chromium, and it cannot be installed here: the browser tests will be skipped.');
  }
}
