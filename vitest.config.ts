import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Of itself it leaves one core idle, which of two is half the machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/mta/**'],
          setupFiles: ['test/support/no-live-dns.ts'],
          // For a busy machine; none takes a second on an idle one.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'mta',
          include: ['test/mta/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'text'],
      thresholds: { lines: 95, statements: 95 },
    },
  },
});
