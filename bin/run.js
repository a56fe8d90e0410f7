// Plain JavaScript that any Node can read, so that a Node that is too old gets a message instead of a syntax error.
import { existsSync } from 'node:fs';

const NEEDED = 24;

/** Runs the `isthmus` command: the built package where it is built, otherwise the sources. */
export async function run(argv) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < NEEDED) {
    console.error(
      `isthmus needs Node ${NEEDED} or newer, this is ${process.versions.node}. In a checkout, "npx isthmus …" and ` +
        '"npm run isthmus -- …" use the Node that npm installed with it; elsewhere see https://nodejs.org.',
    );
    process.exitCode = 1;
    return;
  }
  const built = new URL('../dist/src/cli/main.js', import.meta.url);
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const { runAndExit } = await import(existsSync(built) ? built.href : source.href);
  await runAndExit(argv);
}
