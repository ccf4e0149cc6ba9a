// Makes the image that stands in for the ones above where no registry is: the Node of this machine and nothing else.
// Prints its name; `--tag <name>` gives it another one too.
import { parseArgs } from 'node:util'
import { buildBaseImage, connectEngine, describeBaseImage } from '@flash/emulator/launchers'

const { values } = parseArgs({ options: { tag: { type: 'string' } } })

try {
  const engine = await connectEngine()
  const name = await buildBaseImage(engine, await describeBaseImage())
  if (values.tag) await addName(engine, name, values.tag)
  console.log(name)
} catch ({ message, hint }) {
  console.error(hint ? `${message}\n  ${hint}` : message)
  process.exitCode = 1
}

async function addName(engine, name, other) {
  const [, repo, tag = 'latest'] = /^(.+?)(?::([\w.-]+))?$/.exec(other)
  await engine.getImage(name).tag({ repo, tag })
}
