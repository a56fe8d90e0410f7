import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Two cores; the suites with real processes compete for them, but spend much of their time waiting.
    maxWorkers: 3,
    pool: 'forks',
  },
});
