import { readFileSync } from 'node:fs'

/** What a function does, as text: the same in both bundles. */
const bodies = {
  empty: { imports: '', body: 'async () => {}' },
  small: {
    imports: "import { price, type Order } from './work.ts'\n",
    body: 'async (order: Order) => price(order)',
  },
  devalue: {
    imports: "import { parse, stringify } from 'devalue'\n",
    body: 'async (text: string) => stringify([parse(text), new Date()])',
  },
  zod: {
    imports: "import { z } from 'zod'\n",
    body: 'async (id: string) => z.object({ id: z.string().min(1) }).parse({ id })',
  },
}

export type BundleCase = keyof typeof bodies

export const bundleCases = Object.keys(bodies) as BundleCase[]

/** An app with one function per case, each an endpoint, and beside them the same functions without the plugin. */
export function createBundleApp(): Record<string, string> {
  const files: Record<string, string> = {
    'src/main.ts': "document.body.textContent = 'ready'\n",
    'src/work.ts': readFileSync(new URL('./work.ts', import.meta.url), 'utf8'),
  }
  for (const [name, { imports, body }] of Object.entries(bodies)) {
    files[`src/${name}.ts`] =
      `import { remote } from 'unplugin-flash'\n${imports}\nexport const task = remote({ name: '${name}' }, ${body})\n`
    files[handWrittenFile(name as BundleCase)] = `${imports}\nexport const task = ${body}\n`
  }
  return files
}

export function handWrittenFile(name: BundleCase): string {
  return `src/${name}-by-hand.ts`
}
