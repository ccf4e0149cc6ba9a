import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crash, servePipe } from '../local/pipe.ts'
import { serveQueue } from '../queue/serve.ts'
import { version } from '../version.ts'
import { openProgram } from './program.ts'
import { mapStacks } from './stack.ts'

// All of this is one file in the end, and this is its address.
const bundle = import.meta.url

mapStacks(bundle)

/**
 * Starts the functions of an endpoint. A bundle imports it before the author's modules, so that it is here when they are
 * evaluated.
 */
export const startBundle = openProgram({
  process,
  // `.flash/build/<endpoint>/main.mjs`; elsewhere, paths of the author's files are shown as they are from there.
  root: resolve(dirname(fileURLToPath(bundle)), '../../..'),
  serve: servePipe,
  serveJobs: (runner, write) => serveQueue({ env: process.env, runner, version, write }),
  crash,
})
