import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { describeBaseImage } from './base-image.ts'
import { type TarEntry, writeTar } from './docker/tar.ts'

const folder = mkdtempSync(join(tmpdir(), 'flash-base-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

const pathsOf = (entries: TarEntry[]) => entries.map(({ path }) => path)

/** A program that is not the Node of this process: a script has no libraries. */
function writeNode(version: string) {
  const file = join(folder, `node-${version}`)
  writeFileSync(file, `#!/bin/sh\necho v${version}\n`)
  chmodSync(file, 0o755)
  return file
}

test('the image has Node with every library that it loads, users and certificates', async () => {
  const { name, entries } = await describeBaseImage()
  expect(name).toMatch(
    new RegExp(`^unplugin-flash-base:node${process.versions.node}-${process.arch}-[0-9a-f]{12}$`),
  )
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] }
  const loaded = sharedObjects.filter((path) => /\/(?:ld-|lib(?:c|m|dl|stdc\+\+|gcc_s)\.so)/.test(path))
  expect(loaded.length).toBeGreaterThan(2)
  expect(pathsOf(entries)).toEqual(
    expect.arrayContaining([...loaded, '/usr/local/bin/node', '/etc/passwd', '/tmp/', '/flash/bundle/']),
  )
})

test('the tag is the same for the same files, and another for another Node', async () => {
  const [one, same, other] = await Promise.all(
    [writeNode('24.1.0'), writeNode('24.1.0'), writeNode('24.2.0')].map((node) => describeBaseImage(node)),
  )
  expect(one!.name).toBe(same!.name)
  expect(other!.name).toContain(':node24.2.0-')
  expect(other!.name.slice(-12)).not.toBe(one!.name.slice(-12))
  expect(pathsOf(one!.entries).filter((path) => path.includes('.so'))).toEqual([])
})

test('no image can be made of a Node for another system', async () => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
  await expect(describeBaseImage()).rejects.toThrow('which is for darwin')
})

test('the archive is one that tar reads, with modes, and without times and owners of this machine', async () => {
  const source = join(folder, 'source')
  copyFileSync('/bin/ls', source)
  const empty = join(folder, 'empty')
  writeFileSync(empty, '')
  const archive = join(folder, 'archive.tar')
  await writeFile(
    archive,
    writeTar([
      { path: '/etc/text', mode: 0o644, text: 'Grüße\n' },
      { path: '/bin/program', mode: 0o755, file: source },
      { path: '/empty', mode: 0o600, file: empty },
      { path: '/tmp/', mode: 0o1777, folder: true },
    ]),
  )
  const list = execFileSync('tar', ['--utc', '--numeric-owner', '-tvf', archive], { encoding: 'utf8' })
  expect(list.replaceAll(/ +/g, ' ').trim().split('\n')).toEqual([
    '-rw-r--r-- 0/0 8 1970-01-01 00:00 etc/text',
    expect.stringMatching(/^-rwxr-xr-x 0\/0 \d+ 1970-01-01 00:00 bin\/program$/),
    '-rw------- 0/0 0 1970-01-01 00:00 empty',
    'drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/',
  ])
  execFileSync('tar', ['-xf', archive, '-C', folder])
  expect(readFileSync(join(folder, 'bin/program')).equals(readFileSync(source))).toBe(true)
})
