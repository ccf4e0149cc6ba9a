import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { splitWords } from './words.ts'

for (const command of [
  '',
  '   ',
  'node main.mjs --port 80',
  'python -c \'print("two words")\'',
  'bash -c "node a.mjs && echo \\"done\\" \\\\ \\$HOME \\x"',
  'a"b c"\'d e\'f',
  'empty \'\' ""',
  'back\\ slash \\"quote\\" a\\\\b',
  'one \\\n two "three\\\nfour"',
  'tab\tand\nline',
]) {
  test(`words are those of a shell: ${JSON.stringify(command)}`, () => {
    const script = `printf '%s\\0' ${command.replace(/\n(?=line)/, ' ')}`
    const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
    expect(splitWords(command)).toEqual(command.trim() === '' ? [] : words)
  })
}

test('nothing is expanded or run', () => {
  const words = ['$HOME', '`id`', '$(id)', '*.ts', '~', 'a;b']
  expect(splitWords(words.join(' '))).toEqual(words)
})

for (const [command, at] of [
  ["a 'b", 3],
  ['a "b\\"', 3],
] as const) {
  test(`a quote that is never closed is told: ${command}`, () => {
    expect(() => splitWords(command)).toThrow(
      `the quote at character ${at} of the start command is never closed`,
    )
  })
}

test('a backslash at the very end is one', () => {
  expect(splitWords('a\\')).toEqual(['a\\'])
})
