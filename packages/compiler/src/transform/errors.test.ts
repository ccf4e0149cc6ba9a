import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@flash/protocol'
import { expect, test } from 'vitest'
import { analyzeModule } from '../analyze.ts'
import { diskHost, fixtures } from './fixture.ts'

const folder = join(fixtures, 'errors/')

for (const name of readdirSync(folder).filter((file) => !file.includes('.snap.'))) {
  test(`refused: ${name}`, async () => {
    const file = join(folder, name)
    const error = await analyzeModule(readFileSync(file, 'utf8'), file, diskHost(folder)).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(AppError)
    const { code, message, hint, at, frame } = error as AppError
    const text = `${code} ${at!.file}:${at!.line}:${at!.column}\n${message}\n${hint}\n\n${frame}\n`
    await expect(text).toMatchFileSnapshot(`${file}.snap.txt`)
  })
}
