import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { serve } from 'srvx/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Entry, toArchive, toEntry, toPax, toTar } from '../testing/archive.ts'
import { documents } from '../testing/documents.ts'
import { createWorld, type World } from '../testing/world.ts'

async function openApp(world: World) {
  const { createFlashApp } = await world.graphql(documents.createApp, { input: { name: 'demo' } })
  return createFlashApp.id as string
}

async function prepare(world: World, flashAppId: string, tarballSize: number) {
  const { data, errors } = await world.ask(documents.prepare, { input: { flashAppId, tarballSize } })
  return { ...data?.prepareFlashArtifactUpload, errors } as {
    uploadUrl: string
    objectKey: string
    expiresAt: string
    errors?: { message: string }[]
  }
}

const put = (world: World, url: string, body: Uint8Array) =>
  world.send(url, { method: 'PUT', body: new Uint8Array(body), headers: { authorization: '' } })

/** What making a build of these bytes comes to. */
async function finalize(archive: Buffer) {
  const world = await createWorld()
  const appId = await openApp(world)
  const { uploadUrl, objectKey } = await prepare(world, appId, archive.length)
  expect((await put(world, uploadUrl, archive)).status).toBe(200)
  const input = { flashAppId: appId, objectKey, manifest: {} }
  const answer = await world.ask(documents.finalize, { input })
  const files = await readdir(join(world.folder, 'artifacts'))
  return { ...answer, message: answer.errors?.[0]?.message, files, world, input }
}

describe('upload', () => {
  test('the address is good once, without a key, for an hour', async () => {
    const world = await createWorld()
    const appId = await openApp(world)
    const archive = toArchive()
    const first = await prepare(world, appId, archive.length)
    expect(first.expiresAt).toBe('2026-11-20T13:00:00.000Z')
    expect((await put(world, first.uploadUrl, archive)).status).toBe(200)
    expect((await put(world, first.uploadUrl, archive)).status).toBe(403)
    const second = await prepare(world, appId, archive.length)
    world.clock.advance(3_600_000)
    expect((await put(world, second.uploadUrl, archive)).status).toBe(403)
    expect((await put(world, `${second.uploadUrl}x`, archive)).status).toBe(403)
    // What was sent and never made a build of leaves with its address.
    await prepare(world, appId, 1)
    await world.account.close()
    expect(await readdir(join(world.folder, 'artifacts'))).toEqual([])
  })

  test('another method than PUT is refused', async () => {
    const world = await createWorld()
    const { uploadUrl } = await prepare(world, await openApp(world), 10)
    expect((await world.send(uploadUrl)).status).toBe(405)
  })

  test('more or less than was announced is refused, and can be sent again', async () => {
    const world = await createWorld()
    const appId = await openApp(world)
    const archive = toArchive()
    const { uploadUrl } = await prepare(world, appId, archive.length)
    expect((await put(world, uploadUrl, Buffer.concat([archive, archive]))).status).toBe(413)
    expect((await put(world, uploadUrl, archive.subarray(1))).status).toBe(400)
    expect(await readdir(join(world.folder, 'artifacts'))).toEqual([])
    expect((await put(world, uploadUrl, archive)).status).toBe(200)
  })

  test('a length that was lied about is noticed while the bytes come', async () => {
    const world = await createWorld()
    const { uploadUrl } = await prepare(world, await openApp(world), 10)
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1_000
        controller.enqueue(new Uint8Array(1_000))
      },
    })
    const init = { method: 'PUT', body, duplex: 'half' } as RequestInit
    expect((await world.account.fetch(new Request(uploadUrl, init)))!.status).toBe(413)
    expect(sent).toBeLessThan(200_000)
  })

  for (const size of [0, -1, 1.5, 1_572_864_001])
    test(`a size of ${size} is refused`, async () => {
      const world = await createWorld()
      const { errors } = await prepare(world, await openApp(world), size)
      expect(errors![0]!.message).toContain('tarballSize')
    })

  test('a connection that breaks leaves nothing, and the address stays good', async () => {
    const world = await createWorld()
    const server = serve({
      fetch: async (request) => (await world.account.fetch(request)) ?? new Response(null, { status: 404 }),
      hostname: '127.0.0.1',
      port: 0,
      silent: true,
    })
    onTestFinished(() => server.close(true))
    await server.ready()
    const { port } = new URL(server.url!)
    const archive = toArchive()
    const { uploadUrl } = await prepare(world, await openApp(world), archive.length)
    const path = new URL(uploadUrl).pathname
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`PUT ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${archive.length}\r\n\r\n`)
    socket.write(archive.subarray(0, 10))
    const partThere = async () => (await readdir(join(world.folder, 'artifacts')).catch(() => [])).length > 0
    await expect.poll(partThere).toBe(true)
    const second = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'PUT',
      body: new Uint8Array(archive),
    })
    expect(second.status).toBe(403)
    socket.destroy()
    await expect.poll(partThere).toBe(false)
    const third = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'PUT',
      body: new Uint8Array(archive),
    })
    expect(third.status).toBe(200)
  })
})

describe('finalize', () => {
  const file = { path: 'app/main.py', content: 'x'.repeat(1_000) }

  for (const [what, entries] of [
    [
      'files, folders and links inside',
      [
        { path: './' },
        { path: 'app/', type: '5' },
        file,
        { path: 'app/b', type: '2', target: 'main.py' },
        { path: 'app/c', type: '1', target: 'app/main.py' },
        { path: 'd', type: '2', target: './app' },
      ],
    ],
    [
      'a link up to a folder that is still inside',
      [file, { path: 'app/up', type: '2', target: '../other/file' }],
    ],
    [
      'long names of pax',
      [
        toPax({ path: `app/${'n'.repeat(200)}.py`, mtime: '1.5' }),
        { path: 'short', content: 'x' },
        { path: 'g', type: 'g', content: '11 a=b\n' },
        file,
      ],
    ],
    [
      'long names of GNU',
      [
        { path: '././@LongLink', type: 'L', content: `app/${'n'.repeat(200)}\0` },
        { path: 'cut', content: 'x' },
      ],
    ],
    ['names with dots and accents', [{ path: 'a..b/..c/d...' }, { path: 'é/ü.py' }]],
  ] as [string, Entry[]][])
    test(`taken: ${what}`, async () => {
      const { message, data, files } = await finalize(toArchive(entries))
      expect(message).toBeUndefined()
      expect(data.finalizeFlashArtifactUpload.id).toMatch(/^[0-9a-f-]{36}$/)
      expect(files).toHaveLength(1)
    })

  const cut = toEntry(file)
  for (const [what, archive, named] of [
    ['no gzip', Buffer.from('hello'), 'not gzipped'],
    ['a gzip that is cut', toArchive([file]).subarray(0, 40), 'damaged'],
    [
      'a gzip that is broken',
      Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(100, 7)]),
      'damaged',
    ],
    ['no tar', gzipSync('hello '.repeat(1_000)), 'holds no tar'],
    ['no entries', gzipSync(Buffer.alloc(1_024)), 'empty'],
    ['nothing', gzipSync(''), 'empty'],
    ['half an entry', gzipSync(cut.subarray(0, 700)), 'cut off'],
    ['half a header', gzipSync(cut.subarray(0, 200)), 'cut off'],
    ['something after the end', gzipSync(Buffer.concat([toTar([file]), cut])), 'follows its end'],
    ['an absolute path', toArchive([{ path: '/etc/passwd' }]), 'leaves its folder'],
    ['a path up', toArchive([{ path: '../main.py' }]), 'leaves its folder'],
    ['a path up and down', toArchive([{ path: 'app/../../main.py' }]), 'leaves its folder'],
    ['a path of Windows', toArchive([{ path: 'C:\\main.py' }]), 'leaves its folder'],
    ['an empty path', toArchive([{ path: '' }]), 'leaves its folder'],
    ['a path up in pax', toArchive([toPax({ path: '../../x' }), file]), 'leaves its folder'],
    ['a path up of GNU', toArchive([{ path: 'l', type: 'L', content: '../x\0' }, file]), 'leaves its folder'],
    ['a link out', toArchive([{ path: 'a', type: '2', target: '../x' }]), 'leaves its folder'],
    ['a link to the root', toArchive([{ path: 'a', type: '2', target: '/etc' }]), 'leaves its folder'],
    [
      'a link by way of another',
      toArchive([
        { path: 'd/x', type: '2', target: '..' },
        { path: 'y', type: '2', target: 'd/x/..' },
      ]),
      'leaves its folder',
    ],
    [
      'a link out in pax',
      toArchive([toPax({ linkpath: '/etc' }), { path: 'a', type: '2', target: 'b' }]),
      'leaves its folder',
    ],
    ['a hard link out', toArchive([{ path: 'a', type: '1', target: '../x' }]), 'leaves its folder'],
    [
      'a file below a link',
      toArchive([{ path: 'a', type: '2', target: 'b' }, { path: 'a/c/d' }]),
      'below the link',
    ],
    [
      'a file below a link that comes later',
      toArchive([{ path: 'a/c' }, { path: 'a', type: '2', target: 'b' }]),
      'below the link',
    ],
    ['a device', toArchive([{ path: 'null', type: '3' }]), 'no file, folder or link'],
    [
      'a damaged pax record',
      toArchive([{ path: 'p', type: 'x', content: '99 path=a\n' }, file]),
      'pax record',
    ],
    ['a wrong size in pax', toArchive([toPax({ size: '-5' }), file]), 'wrong size'],
    ['a size that is longer than the rest', toArchive([{ ...file, size: 1_000_000 }]), 'cut off'],
    [
      'a name of megabytes',
      toArchive([{ path: 'l', type: 'L', size: 10_000_000 }, file]),
      'record of 10000000 bytes',
    ],
  ] as [string, Buffer, string][])
    test(`refused: ${what}`, async () => {
      const { message, status, data, files, world, input } = await finalize(archive)
      expect([status, data]).toEqual([200, { finalizeFlashArtifactUpload: null }])
      expect(message).toContain(named)
      expect(files).toEqual([])
      expect(
        (await world.graphql(documents.builds, { flashAppId: input.flashAppId })).flashApp.flashBuilds,
      ).toEqual([])
    })

  test('once: two at a time make one build', async () => {
    const { world, input } = await finalize(toArchive())
    expect((await world.ask(documents.finalize, { input })).errors![0]!.message).toContain(
      'nothing was uploaded',
    )
    const archive = toArchive()
    const { uploadUrl, objectKey } = await prepare(world, input.flashAppId, archive.length)
    const early = await world.ask(documents.finalize, { input: { ...input, objectKey } })
    expect(early.errors![0]!.message).toContain('nothing was uploaded')
    await put(world, uploadUrl, archive)
    const both = await Promise.all(
      [1, 2].map(() => world.ask(documents.finalize, { input: { ...input, objectKey } })),
    )
    expect(both.filter(({ errors }) => errors)).toHaveLength(1)
  })

  test('builds leave with their app, and belong to it', async () => {
    const { world, input, data } = await finalize(toArchive())
    const other = (await world.graphql(documents.createApp, { input: { name: 'other' } })).createFlashApp.id
    const { createFlashEnvironment } = await world.graphql(documents.createEnvironment, {
      input: { flashAppId: other, name: 'default' },
    })
    const wrong = await world.ask(documents.activate, {
      input: {
        flashEnvironmentId: createFlashEnvironment.id,
        flashBuildId: data.finalizeFlashArtifactUpload.id,
      },
    })
    expect(wrong.errors![0]!.message).toContain('another app')
    await world.graphql(documents.deleteApp, { flashAppId: input.flashAppId })
    await world.account.close()
    expect(await readdir(join(world.folder, 'artifacts'))).toEqual([])
  })
})

test('download: for an hour, to whoever has the address', async () => {
  const { world, input, data } = await finalize(toArchive())
  const { createFlashEnvironment } = await world.graphql(documents.createEnvironment, {
    input: { flashAppId: input.flashAppId, name: 'default' },
  })
  const { deployBuildToEnvironment } = await world.graphql(documents.activateOfFlash, {
    input: {
      flashEnvironmentId: createFlashEnvironment.id,
      flashBuildId: data.finalizeFlashArtifactUpload.id,
    },
  })
  const { downloadUrl } = deployBuildToEnvironment.activeArtifact
  const answer = await world.account.fetch(new Request(downloadUrl))
  expect(answer!.headers.get('content-length')).toBe(`${toArchive().length}`)
  expect(Buffer.from(await answer!.arrayBuffer())).toEqual(toArchive())
  world.clock.advance(3_600_000)
  expect((await world.send(downloadUrl)).status).toBe(403)
})
