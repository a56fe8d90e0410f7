// Loads the tables into the realms once: the same as `isthmus load`. Takes `--config`, by default ./config.ts or ./config.js.
import { run } from './bin/run.js';

await run(['load', ...process.argv.slice(2)]);
