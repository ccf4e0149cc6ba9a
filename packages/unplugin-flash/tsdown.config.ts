import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsdown'

export default defineConfig({
  cwd: dirname(fileURLToPath(import.meta.url)),
  entry: {
    index: 'src/index.ts',
    vite: 'src/vite.ts',
    client: 'src/client.ts',
    'internal/worker': 'src/internal/worker.ts',
    'internal/inline': 'src/internal/inline.ts',
    'internal/define': 'src/internal/define.ts',
    'internal/local': 'src/internal/local.ts',

  },
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  outExtensions: () => ({ js: '.mjs', dts: '.d.mts' }),
  dts: true,
  // Rooms and small libraries travel inside; what has native code or belongs to the project stays outside.
  noExternal: [/^@flash\//, 'devalue', 'h3', 'srvx', 'rou3', 'ignore', 'tinyglobby', 'fdir', 'picomatch'],
  external: ['vite', /^vite\//, 'oxc-parser', 'oxc-walker', 'magic-string', 'unplugin'],
  clean: true,
})
