// Keeps realms and tables in sync: the same as `isthmus adapter`. Takes `--config`, by default ./config.ts or ./config.js.
import { run } from './bin/run.js';

await run(['adapter', ...process.argv.slice(2)]);
