import { bytesApp } from './apps.ts'
import type { Benchmark, Row, RunOptions } from './benchmark.ts'
import { findRefs } from './caller.ts'
import { startChild } from './child.ts'
import { findChromium, openChromium } from './chromium.ts'
import { type BytesStubs, type BytesTimes, createWays, measureBytes } from './measure-bytes.ts'
import type { ViteInput, ViteReady } from './programs/vite.ts'
import { createProject } from './project.ts'
import { openRelay, type Relay } from './relay.ts'
import { median } from './statistics.ts'

/** A mebibyte of bytes each way through a stub, against the same bytes over bare http. */
export const bytes: Benchmark = {
  name: 'bytes',
  title: 'Bytes: a Uint8Array of 1 MiB as argument and as result, against the same bytes over bare http',
  async run(options) {
    const project = createProject(bytesApp)
    const bare = await startChild<ViteReady>(new URL('./programs/bare.ts', import.meta.url), {})
    const flash = await startChild<ViteReady>(new URL('./programs/vite.ts', import.meta.url), {
      root: project.root,
      plugin: 'flash',
    } satisfies ViteInput)
    const refs = await findRefs(flash.ready.url, 'src/functions.ts')
    const samples = options.quick ? 10 : 60
    options.progress(`${samples} calls each way from Node`)
    const inNode = await measureBytes(
      createWays(await createStubs(flash.ready.url, refs), bare.ready.url),
      samples,
    )
    options.progress('counting bytes')
    const counted = await countBytes(flash.ready.url, refs, bare.ready.url)
    const inPage = await measureInPage(options, flash, samples)
    await Promise.all([bare.stop(), flash.stop()])
    project.remove()
    return [...counted, ...toTimeRows('Node', inNode), ...(inPage ? toTimeRows('Chromium', inPage) : [])]
  },
}

async function createStubs(server: string, refs: Record<string, string>): Promise<BytesStubs> {
  const { bindStub } = await import('unplugin-flash/client')
  const stub = bindStub(`${server}/_flash`)
  return { up: stub(refs.up!) as BytesStubs['up'], down: stub(refs.down!) as BytesStubs['down'] }
}

async function countBytes(flash: string, refs: Record<string, string>, bare: string): Promise<Row[]> {
  const relays = { bare: await openRelay(bare), flash: await openRelay(flash) }
  const ways = createWays(await createStubs(relays.flash.url, refs), relays.bare.url)
  const count = async (relay: Relay, run: () => Promise<string>) => {
    // The first call opens the connection and loads what is loaded late.
    await run()
    relay.take()
    await run()
    const { up, down } = relay.take()
    return up + down
  }
  const rows = [
    toBytesRow('argument', await count(relays.bare, ways.plainUp), await count(relays.flash, ways.flashUp)),
    toBytesRow('result', await count(relays.bare, ways.plainDown), await count(relays.flash, ways.flashDown)),
  ]
  for (const relay of Object.values(relays)) relay.close()
  return rows
}

function toBytesRow(what: string, bare: number, flash: number): Row {
  return {
    what: `${what}: bytes on the wire, both ways, headers included`,
    plain: { value: bare, unit: 'bytes' },
    flash: { value: flash, unit: 'bytes' },
    figure: { value: flash / bare, unit: 'times' },
    aim: 1.005,
  }
}

/** In a page the plain server has the page's own origin, so that neither way asks for permission first. */
async function measureInPage(
  { progress }: RunOptions,
  flash: Awaited<ReturnType<typeof startChild<ViteReady>>>,
  samples: number,
) {
  const executable = findChromium()
  if (!executable) {
    progress('no Chromium found (set CHROMIUM to its path), so no figures from a page')
    return undefined
  }
  progress(`${samples} calls each way from Chromium`)
  const report = flash.said()
  const close = openChromium(executable, `${flash.ready.url}/?samples=${samples}`)
  const times = (await report) as BytesTimes | { error: string }
  await close()
  if ('error' in times) throw new Error(`the page reports: ${times.error}`)
  return times
}

function toTimeRows(where: string, times: BytesTimes): Row[] {
  const row = (what: string, plain: number[], flash: number[]): Row => ({
    what: `${what}: time from ${where}, p50`,
    plain: { value: median(plain), unit: 'ms' },
    flash: { value: median(flash), unit: 'ms' },
    figure: { value: median(flash) / median(plain), unit: 'times' },
    aim: 1.3,
  })
  return [row('argument', times.plainUp, times.flashUp), row('result', times.plainDown, times.flashDown)]
}
