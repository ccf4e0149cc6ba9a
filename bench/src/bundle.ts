import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Benchmark, Row } from './benchmark.ts'
import { type BundleCase, bundleCases, createBundleApp, handWrittenFile } from './bundle-app.ts'
import { createProject } from './project.ts'
import { buildWhole } from './whole-build.ts'

type Bundles = Record<BundleCase, Record<'plain' | 'flash', Uint8Array>>

/** The code of minified worker bundles, against what esbuild makes of the same functions. */
export const bundle: Benchmark = {
  name: 'bundle',
  title: 'Bundle: minified main.mjs of one function, against esbuild --bundle --minify',
  async run({ progress }) {
    progress(`bundling ${bundleCases.length} functions in both ways`)
    const project = createProject(createBundleApp())
    await buildWhole({ root: project.root, workers: 'flash', minify: true })
    const bundles = {} as Bundles
    for (const name of bundleCases) {
      bundles[name] = {
        plain: await bundleByHand(project.root, name),
        flash: readFileSync(join(project.root, '.flash/build', name, 'main.mjs')),
      }
    }
    project.remove()
    return toRows(bundles)
  },
}

async function bundleByHand(root: string, name: BundleCase): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [handWrittenFile(name)],
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    write: false,
  })
  return outputFiles[0]!.contents
}

function toRows({ empty, ...others }: Bundles): Row[] {
  const runtime = empty.flash.length
  return [
    {
      what: 'the runtime: bundle of an empty function',
      plain: { value: empty.plain.length, unit: 'bytes' },
      flash: { value: runtime, unit: 'bytes' },
      aim: 60_000,
      note: `gzipped ${gzipSync(empty.flash).length.toLocaleString('en')} bytes`,
    },
    ...Object.entries(others).map(([name, { plain, flash }]): Row => {
      const added = flash.length - runtime
      return {
        what: `${titles[name as keyof typeof titles]}, beside the runtime`,
        plain: { value: plain.length, unit: 'bytes' },
        flash: { value: added, unit: 'bytes' },
        figure: { value: added / plain.length, unit: 'times' },
        aim: 1.1,
        note: `with it ${flash.length.toLocaleString('en')} bytes`,
      }
    }),
  ]
}

const titles = {
  small: 'a function of three lines',
  devalue: 'a function with devalue',
  zod: 'a function with zod',
}
