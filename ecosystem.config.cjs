// pm2: `npx pm2 start ecosystem.config.cjs` runs the object server and the adapter, each in a process of its own.
// Load once before: `npx isthmus load --config config.ts`.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

// The Node that npm installed with Isthmus, so that an older system Node does not matter; otherwise the one of pm2.
const node = join(__dirname, 'node_modules', 'node', 'bin', 'node');

const common = {
  script: join(__dirname, 'bin', 'isthmus.js'),
  ...(existsSync(node) ? { interpreter: node } : {}),
  // More memory for very large realms, if ever needed: node_args: ['--max-old-space-size=4096'],
  node_args: [],
  cwd: __dirname,
  // Isthmus stops by itself within 10 s of SIGINT.
  kill_timeout: 11_000,
  exp_backoff_restart_delay: 500,
  // 2: the configuration is wrong; 4: the connector needs an operator. Starting again would change neither.
  stop_exit_codes: [0, 2, 4],
};

module.exports = {
  apps: [
    { ...common, name: 'isthmus-server', args: 'server --config config.ts' },
    { ...common, name: 'isthmus-adapter', args: 'adapter --config config.ts' },
  ],
};
