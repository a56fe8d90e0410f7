/** realm-web as its vendor shipped it, in a page of a real browser, whose origin is not the server's. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXPECTED } from './journeys-expected.ts';
import { startWebWorld } from './web-world.ts';

const CHROMIUM = process.env.ISTHMUS_TEST_CHROMIUM ?? '/usr/bin/chromium';
const HAS_CHROMIUM = existsSync(CHROMIUM);
/** What a browser looks for outside by itself has no place in a test. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

if (!HAS_CHROMIUM) {
  console.warn(
    `\n*** realm-web in a browser: ${Object.keys(EXPECTED).length} tests are SKIPPED: there is no browser at ${CHROMIUM}. ` +
      'Install Debian’s package "chromium", or name a Chromium in ISTHMUS_TEST_CHROMIUM. ***\n',
  );
}

describe.skipIf(!HAS_CHROMIUM)('in a page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS });
  });
  afterAll(() => browser.close());

  test.each(Object.keys(EXPECTED))('%s', async (name) => {
    const { serverUrl, siteUrl } = await startWebWorld();
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`${siteUrl}/`);
      const place = JSON.stringify({ name, serverUrl, siteUrl });
      const result: unknown = await page.evaluate(`(${PAGE_PROGRAM})(${place})`);
      expect(result).toEqual(EXPECTED[name]);
    } finally {
      await context.close();
    }
  });
});

/** Runs in the page; kept as a text, since modules of the page are none of this program's. */
const PAGE_PROGRAM = `async ({ name, serverUrl, siteUrl }) => {
  const { JOURNEYS } = await import(siteUrl + '/journeys.js');
  const { helpersOf } = await import(siteUrl + '/journey-helpers.js');
  const app = new Realm.App({ id: 'isthmus', baseUrl: serverUrl });
  return JOURNEYS[name]({ Realm, app, ...helpersOf(siteUrl, serverUrl) });
}`;
