import { ownData, ownHelpers } from '../fold/known.ts'
import { packageName } from '../follow.ts'

const AUTHORING = '\0flash:authoring'
const STUBS = '\0flash:stubs'

/** Our own modules as they are while configs are evaluated: data and helpers are real, everything else refuses to run. */
export function resolveOwn(specifier: string): string | null {
  if (specifier === packageName || specifier === AUTHORING) return AUTHORING
  const isStub =
    specifier === STUBS ||
    /^virtual:flash\/(?:client|server)$/.test(specifier) ||
    specifier.startsWith(`${packageName}/`)
  return isStub ? STUBS : null
}

// CommonJS, because there any name can be imported.
const refuse = `const refuse = (name) => () => {
  throw new Error(name + ' runs in a worker or an app; a config cannot use it')
}
`

/** Stubs are made where modules declare them and are only called by code that is gone. */
const stubs = ['stub', 'flashClass', 'web', 'route', 'socket', 'noClient', 'routeOfServer']
const serverStubs = ['serverStub', 'serverClass', 'serverWeb', 'serverRoute', 'serverSocket']
const inert = [...stubs, ...serverStubs].map((name) => `exports.${name} = () => function stub() {}\n`)

export function loadOwn(id: string): string | null {
  if (id === STUBS) return inert.join('')
  if (id !== AUTHORING) return null
  const data = Object.entries(ownData).map(([name, value]) => `exports.${name} = ${JSON.stringify(value)}\n`)
  const helpers = Object.entries(ownHelpers).map(
    ([name, kind]) =>
      `exports.${name} = function ${name}(options) { return { ...options, kind: '${kind}' } }\n`,
  )
  const refused = ['remote', 'endpoint', 'task', 'getContext'].map(
    (name) => `exports.${name} = refuse('${name}')\n`,
  )
  const rest =
    'exports.unchecked = (body) => body\nexports.RemoteError = class RemoteError extends Error {}\n'
  return [refuse, ...data, ...helpers, ...refused, rest].join('')
}
