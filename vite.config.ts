import { configDefaults, defineConfig } from 'vitest/config'

const core = ['protocol', 'runtime', 'compiler', 'emulator', 'sdk', 'server']

// A loaded machine may take longer than the second that is given otherwise.
const patient = { poll: { timeout: 10_000 } }

/** Tests that start programs. */
const programs = { testTimeout: 60_000, hookTimeout: 120_000, expect: patient }

/** Files that count seconds: nothing else runs meanwhile. */
const punctual = ['test/e2e/lifecycle.test.ts']

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
          ...programs,
          name: 'together',
          include: ['test/**/*.test.ts', 'playground/*/__tests__/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...punctual],
          // These start browsers, servers and workers of their own, in folders and at ports that nobody else has,
          // and wait for them half of the time.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...programs,
          name: 'alone',
          include: punctual,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
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
