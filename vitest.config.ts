import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
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
