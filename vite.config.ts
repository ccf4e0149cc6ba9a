import { defineConfig } from 'vitest/config'

const core = ['protocol', 'runtime', 'compiler', 'emulator', 'sdk', 'server']

// A loaded machine may take longer than the second that is given otherwise.
const patient = { poll: { timeout: 10_000 } }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'rooms',
          include: ['packages/*/src/**/*.test.ts', 'worker/src/**/*.test.ts'],
          testTimeout: 20_000,
          expect: patient,
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'together',
          include: ['test/**/*.test.ts', 'playground/*/__tests__/**/*.test.ts'],
          testTimeout: 60_000,
          expect: patient,
          hookTimeout: 120_000,
          // These start browsers, servers and workers of their own, one file at a time and after the rooms.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    coverage: {
      include: [...core.map((room) => `packages/${room}/src/**/*.ts`), 'worker/src/**/*.ts'],
      exclude: [
        '**/fixtures/**',
        '**/*.test-d.ts',
        // What only tests use.
        '**/testing/**',
        '**/{testing,fixture,scripted-server}.ts',
        // Programs of a child process, where nobody counts; the tests of `together` run them.
        'worker/src/bundle/main.ts',
        'worker/src/local/main.ts',
        'worker/src/local/pipe.ts',
        'worker/src/local/watchdog.ts',
      ],
      reporter: ['text-summary', 'html'],
      thresholds: { lines: 90, branches: 90, perFile: { lines: 80, branches: 80 } },
    },
  },
})
