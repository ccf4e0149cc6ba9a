import { describe, expect, test } from 'vitest'
import {
  checkEndpointName,
  type ConfigProblem,
  parseEndpointConfig,
  type PlainEndpointConfig,
  type ResolvedEndpointConfig,
  toEndpointConfig,
} from './endpoint-config.ts'
import { AppError } from './error.ts'
import type { SourcePosition } from './facts.ts'

const nowhere = () => undefined
const parse = (raw: unknown, kind: 'queue' | 'balanced' = 'queue') =>
  parseEndpointConfig(raw, nowhere, { kind })

function fail(
  raw: unknown,
  options: { kind?: 'queue' | 'balanced'; locate?: (path: string[]) => SourcePosition | undefined } = {},
) {
  try {
    parseEndpointConfig(raw, options.locate ?? nowhere, options)
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    const { code, message, at, hint, data } = error as AppError
    return { code, message, at, hint, problems: (data as { problems: ConfigProblem[] }).problems }
  }
  throw new Error('nothing was refused')
}

const everyDefault: ResolvedEndpointConfig = {
  kind: 'queue',
  name: null,
  compute: { kind: 'gpu', names: ['any'], count: 1, minCudaVersion: null, allowedCudaVersions: [] },
  workers: { min: 0, max: 1 },
  idleTimeoutSeconds: 60,
  executionTimeoutMs: 600_000,
  scaling: { by: 'queueDelay', seconds: 4 },
  maxConcurrency: 1,
  flashboot: true,
  dataCenters: [],
  volumes: [],
  model: null,
  env: [],
  dependencies: [],
  systemDependencies: [],
  accelerateDownloads: true,
  image: null,
  diskGb: 64,
  args: null,
  ports: [],
  registryAuthId: null,
  templateId: null,
  code: { setup: false, input: false, output: false },
  instances: 16,
  dev: { target: null, workers: 1, keepWarm: false },
}

describe('defaults', () => {
  test('of a queue on GPUs', () => expect(parse({})).toEqual(everyDefault))

  test('of a load-balanced endpoint', () => {
    expect(parse({ name: 'api' }, 'balanced')).toEqual({
      ...everyDefault,
      kind: 'balanced',
      name: 'api',
      scaling: { by: 'requestCount', requests: 4 },
    })
  })

  test('on CPU the disk is what the smallest instance can have', () => {
    expect(parse({ cpu: ['cpu5c-4-8', 'cpu3g-2-8'] })).toMatchObject({
      compute: { kind: 'cpu', instances: ['cpu5c-4-8', 'cpu3g-2-8'] },
      diskGb: 20,
    })
    expect(parse({ cpu: 'cpu5c-8-16' }).diskGb).toBe(120)
  })

  test('a field that is undefined is absent', () => {
    expect(parse({ name: undefined, cpu: undefined, workers: undefined, oops: undefined })).toEqual(
      everyDefault,
    )
  })
})

describe('what is written arrives', () => {
  for (const [what, raw, resolved] of [
    ['one GPU', { gpu: 'NVIDIA L4' }, { compute: { names: ['NVIDIA L4'] } }],
    [
      'GPUs in order of preference',
      { gpu: ['NVIDIA L4', 'ADA_24', 'AMPERE_16'] },
      { compute: { names: ['NVIDIA L4', 'ADA_24', 'AMPERE_16'] } },
    ],
    [
      'a GPU that is newer than this list',
      { gpu: 'NVIDIA B400 NVL' },
      { compute: { names: ['NVIDIA B400 NVL'] } },
    ],
    ['a number of workers', { workers: 3 }, { workers: { min: 0, max: 3 } }],
    ['no workers', { workers: 0 }, { workers: { min: 0, max: 0 } }],
    ['one data center', { dataCenters: 'EU-RO-1' }, { dataCenters: ['EU-RO-1'] }],
    [
      'a data center that is newer than this list',
      { dataCenters: ['AP-JP-1'] },
      { dataCenters: ['AP-JP-1'] },
    ],
    [
      'a CPU instance that is newer than this list',
      { cpu: 'cpu7x-16-64' },
      { compute: { instances: ['cpu7x-16-64'] }, diskGb: 240 },
    ],
    [
      'one volume',
      { volumes: { kind: 'network', name: 'v' } },
      { volumes: [{ kind: 'network', id: null, name: 'v', sizeGb: 100, dataCenter: null, create: true }] },
    ],
    [
      'a global volume',
      { volumes: { kind: 'global', id: 'g1', create: false } },
      { volumes: [{ kind: 'global', id: 'g1', name: null, create: false }] },
    ],
    [
      'two existing volumes, whose places the account knows',
      {
        volumes: [
          { kind: 'network', id: 'a' },
          { kind: 'network', id: 'b' },
        ],
      },
      { volumes: [{ id: 'a' }, { id: 'b' }] },
    ],
    [
      'a model',
      { model: 'Qwen/Qwen3-0.6B' },
      { model: { owner: 'Qwen', name: 'Qwen3-0.6B', revision: null } },
    ],
    [
      'a model at a revision',
      { model: 'a/b:refs/pr--1' },
      { model: { owner: 'a', name: 'b', revision: 'refs/pr--1' } },
    ],
    [
      'names of variables',
      { env: ['B', 'A', 'RUNPOD_API_KEY'] },
      {
        env: [
          { name: 'B', kind: 'byName' },
          { name: 'A', kind: 'byName' },
          { name: 'RUNPOD_API_KEY', kind: 'byName' },
        ],
      },
    ],
    [
      'values of variables',
      { env: { A: '', B: { secret: 'hf.token-1' } } },
      {
        env: [
          { name: 'A', kind: 'literal', value: '' },
          { name: 'B', kind: 'secret', secret: 'hf.token-1' },
        ],
      },
    ],
    [
      'the marks of code',
      { setup: true, input: true, output: true },
      { code: { setup: true, input: true, output: true } },
    ],
    ['an empty command', { image: 'a', args: '' }, { args: '' }],
    [
      'half a second',
      { scaling: { by: 'queueDelay', seconds: 0.5 } },
      { scaling: { by: 'queueDelay', seconds: 0.5 } },
    ],
    [
      'an empty list of CUDA versions',
      { minCudaVersion: '12.8', allowedCudaVersions: [] },
      { compute: { minCudaVersion: '12.8', allowedCudaVersions: [] } },
    ],
    [
      'packages',
      {
        dependencies: ['sharp', '@scope/pkg@1.2.3', 'left-pad@^1 || 2'],
        systemDependencies: ['ffmpeg', 'libvips42=8.14-1', 'libc6:arm64'],
      },
      {
        dependencies: ['sharp', '@scope/pkg@1.2.3', 'left-pad@^1 || 2'],
        systemDependencies: ['ffmpeg', 'libvips42=8.14-1', 'libc6:arm64'],
      },
    ],
    [
      'a template of the account, which has a disk of its own',
      { template: { kind: 'template', id: 't1' } },
      { templateId: 't1', diskGb: null },
    ],
    [
      'a disk over the one of the template',
      { diskGb: 5, template: { kind: 'template', id: 't1' } },
      { templateId: 't1', diskGb: 5 },
    ],
    [
      'dev',
      { dev: { target: 'live', workers: 2, keepWarm: true } },
      { dev: { target: 'live', workers: 2, keepWarm: true } },
    ],
  ] as const) {
    test(what, () => expect(parse(raw)).toMatchObject(resolved))
  }

  test('a template of one’s own fills what the endpoint leaves out', () => {
    const template = {
      kind: 'template',
      image: 'a/base',
      diskGb: 30,
      args: 'x',
      ports: ['1/tcp'],
      registryAuthId: 'r',
      env: { A: '1', B: '2' },
    }
    expect(parse({ template })).toMatchObject({
      image: 'a/base',
      diskGb: 30,
      args: 'x',
      ports: ['1/tcp'],
      registryAuthId: 'r',
      templateId: null,
    })
    expect(
      parse({ template, image: 'b', diskGb: 40, args: '', ports: [], registryAuthId: 's', env: ['B', 'C'] }),
    ).toMatchObject({
      image: 'b',
      diskGb: 40,
      args: '',
      ports: [],
      registryAuthId: 's',
      env: [
        { name: 'A', kind: 'literal', value: '1' },
        { name: 'B', kind: 'byName' },
        { name: 'C', kind: 'byName' },
      ],
    })
  })
})

describe('what is refused, where and why', () => {
  const cases: [what: string, raw: unknown, path: string, message: RegExp, code?: string][] = [
    ['no object', 'small', '', /an object is/],
    ['a list', [], '', /an object is/],
    ['null', null, '', /an object is/],
    [
      'an unknown field',
      { colour: 'red' },
      'colour',
      /is not a field; the fields are name, gpu, /,
      'UNKNOWN_FIELD',
    ],
    [
      'a misspelt field',
      { idelTimeoutSeconds: 5 },
      'idelTimeoutSeconds',
      /did you mean idleTimeoutSeconds\?/,
      'UNKNOWN_FIELD',
    ],
    [
      'a field of Python’s',
      { idle_timeout: 5 },
      'idle_timeout',
      /did you mean idleTimeoutSeconds\?/,
      'UNKNOWN_FIELD',
    ],
    [
      'a field of Python’s with another name',
      { datacenter: 'EU-RO-1' },
      'datacenter',
      /did you mean dataCenters\?/,
      'UNKNOWN_FIELD',
    ],
    [
      'a field named as everything’s own',
      { constructor: 1 },
      'constructor',
      /is not a field/,
      'UNKNOWN_FIELD',
    ],
    [
      'a very long field',
      { ['x'.repeat(100)]: 1 },
      'x'.repeat(100),
      /is not a field; the fields/,
      'UNKNOWN_FIELD',
    ],
    ['a field without letters', { '-': 1 }, '-', /is not a field; the fields/, 'UNKNOWN_FIELD'],

    ['a short name', { name: 'ab' }, 'name', /has 2 characters; 3 to 63/, 'BAD_NAME'],
    ['a name of the build', { name: 'app.tar.gz' }, 'name', /folder of the build/, 'BAD_NAME'],
    ['a blank name', { name: ' ' }, 'name', /a name of 3 to 63 characters is/],
    ['a name of another type', { name: 5 }, 'name', /^is not allowed; a name/],

    ['gpu with cpu', { cpu: 'cpu3g-2-8', gpu: 'NVIDIA L4' }, 'gpu', /cannot be together with cpu/],
    ['gpuCount with cpu', { cpu: 'cpu3g-2-8', gpuCount: 1 }, 'gpuCount', /cannot be together with cpu/],
    [
      'minCudaVersion with cpu',
      { cpu: 'cpu3g-2-8', minCudaVersion: '12.8' },
      'minCudaVersion',
      /together with cpu/,
    ],
    [
      'allowedCudaVersions with cpu',
      { cpu: 'cpu3g-2-8', allowedCudaVersions: [] },
      'allowedCudaVersions',
      /together with cpu/,
    ],
    [
      'both CUDA fields',
      { minCudaVersion: '12.8', allowedCudaVersions: ['12.8'] },
      'allowedCudaVersions',
      /together with minCudaVersion/,
    ],
    [
      'a CUDA version as a number',
      { minCudaVersion: 12.8 },
      'minCudaVersion',
      /a CUDA version such as "12.8" is/,
    ],
    ['a whole CUDA version', { allowedCudaVersions: ['12'] }, 'allowedCudaVersions[0]', /such as "12.8"/],
    ['a GPU without its maker', { gpu: 'L4' }, 'gpu', /did you mean "NVIDIA L4"\?/],
    [
      'a GPU in small letters',
      { gpu: ['nvidia geforce rtx 4090'] },
      'gpu[0]',
      /did you mean "NVIDIA GeForce RTX 4090"\?/,
    ],
    ['a group with a dash', { gpu: 'ADA-24' }, 'gpu', /did you mean "ADA_24"\?/],
    ['a GPU that is no name', { gpu: '!!' }, 'gpu', /the name of a GPU or of a group/],
    ['an empty list of GPUs', { gpu: [] }, 'gpu', /a list with at least one entry/],
    ['"any" in a list', { gpu: ['NVIDIA L4', 'any'] }, 'gpu', /write gpu: "any"/],
    ['a GPU twice', { gpu: ['NVIDIA L4', 'NVIDIA L4'] }, 'gpu[1]', /twice/],
    ['half a GPU', { gpuCount: 0.5 }, 'gpuCount', /a whole number from 1 on is/],

    ['one vCPU', { cpu: 'cpu3g-1-4' }, 'cpu', /has one vCPU.*nearest is "cpu3g-2-8"/],
    ['one vCPU of the fifth generation', { cpu: ['cpu5c-1-2'] }, 'cpu[0]', /nearest is "cpu5c-2-4"/],
    ['one vCPU of an unknown flavour', { cpu: 'cpu9z-1-3' }, 'cpu', /nearest is "cpu9z-2-6"/],
    ['three vCPUs', { cpu: 'cpu3g-3-12' }, 'cpu', /has 3 vCPUs; a power of two/],
    ['a CPU instance in capitals', { cpu: 'CPU3G_2_8' }, 'cpu', /did you mean "cpu3g-2-8"\?/],
    ['a CPU flavour alone', { cpu: 'cpu3g' }, 'cpu', /a CPU instance such as/],
    ['an empty list of CPU instances', { cpu: [] }, 'cpu', /at least one entry/],
    [
      'too much disk for a CPU',
      { cpu: ['cpu3g-2-8', 'cpu5c-2-4'], diskGb: 25 },
      'diskGb',
      /cpu3g-2-8: 20 and cpu5c-2-4: 30 GB.*from 1 to 20 is/,
    ],
    ['no disk', { diskGb: 0 }, 'diskGb', /a whole number from 1 on/],

    ['negative workers', { workers: -1 }, 'workers', /a whole number from 0 on, or \[min, max\]/],
    ['three numbers of workers', { workers: [1, 2, 3] }, 'workers', /\[min, max\]/],
    ['workers turned round', { workers: [2, 1] }, 'workers', /minimum above its maximum/],
    ['too long an idle time', { idleTimeoutSeconds: 3601 }, 'idleTimeoutSeconds', /from 1 to 3600/],
    ['too short an execution', { executionTimeoutMs: 4999 }, 'executionTimeoutMs', /from 5000 to 604800000/],
    [
      'too long an execution',
      { executionTimeoutMs: 604_800_001 },
      'executionTimeoutMs',
      /from 5000 to 604800000/,
    ],
    ['no concurrency', { maxConcurrency: 0 }, 'maxConcurrency', /from 1 on/],
    ['no instances', { instances: 0 }, 'instances', /from 1 on/],
    ['an endless number', { instances: Infinity }, 'instances', /from 1 on/],
    ['a word for flashboot', { flashboot: 'fast' }, 'flashboot', /true, false or "priority" is/],
    ['a word for a flag', { accelerateDownloads: 'yes' }, 'accelerateDownloads', /true or false is/],

    [
      'scaling by something else',
      { scaling: { by: 'latency' } },
      'scaling',
      /\{ by: "queueDelay", seconds \} or/,
    ],
    ['scaling by a word', { scaling: 'queueDelay' }, 'scaling', /\{ by: "queueDelay", seconds \} or/],
    ['too short a delay', { scaling: { by: 'queueDelay', seconds: 0.4 } }, 'scaling.seconds', /from 0.5 on/],
    [
      'a missing delay',
      { scaling: { by: 'queueDelay' } },
      'scaling.seconds',
      /is missing; a number from 0.5/,
    ],
    ['a missing number of requests', { scaling: { by: 'requestCount' } }, 'scaling.requests', /is missing/],
    ['half a request', { scaling: { by: 'requestCount', requests: 1.5 } }, 'scaling.requests', /from 1 on/],
    [
      'the field of the other signal',
      { scaling: { by: 'requestCount', requests: 1, seconds: 4 } },
      'scaling.seconds',
      /is not a field of scaling/,
      'UNKNOWN_FIELD',
    ],

    ['a data center in small letters', { dataCenters: 'eu-ro-1' }, 'dataCenters', /did you mean "EU-RO-1"\?/],
    [
      'a data center that is no id',
      { dataCenters: ['Romania'] },
      'dataCenters[0]',
      /the id of a data center/,
    ],
    ['a data center twice', { dataCenters: ['EU-RO-1', 'EU-RO-1'] }, 'dataCenters[1]', /twice/],
    [
      'a volume without a kind',
      { volumes: { name: 'v' } },
      'volumes',
      /each has kind: "network" or "global"/,
    ],
    ['a volume that is a name', { volumes: ['v'] }, 'volumes[0]', /a NetworkVolume/],
    ['a volume without a name', { volumes: { kind: 'network' } }, 'volumes.name', /has a name or an id/],
    [
      'a volume with a size',
      { volumes: { kind: 'network', name: 'v', size: 5 } },
      'volumes.size',
      /did you mean sizeGb\?/,
      'UNKNOWN_FIELD',
    ],
    [
      'a small volume',
      { volumes: [{ kind: 'network', name: 'v', sizeGb: 9 }] },
      'volumes[0].sizeGb',
      /from 10 to 4096/,
    ],
    [
      'a large volume',
      { volumes: { kind: 'network', name: 'v', sizeGb: 4097 } },
      'volumes.sizeGb',
      /from 10 to 4096/,
    ],
    [
      'a volume elsewhere',
      { dataCenters: ['US-KS-2'], volumes: { kind: 'network', name: 'v', dataCenter: 'EU-RO-1' } },
      'volumes.dataCenter',
      /not among the dataCenters of the endpoint \(US-KS-2\)/,
    ],
    [
      'two volumes in one place',
      {
        volumes: [
          { kind: 'network', name: 'a', dataCenter: 'EU-RO-1' },
          { kind: 'network', name: 'b', dataCenter: 'EU-RO-1' },
        ],
      },
      'volumes[1].dataCenter',
      /one network volume in each data center/,
    ],
    [
      'one of two volumes without a place',
      {
        volumes: [
          { kind: 'network', name: 'a', dataCenter: 'EU-RO-1' },
          { kind: 'network', name: 'b' },
        ],
      },
      'volumes[1].dataCenter',
      /is missing; each of several/,
    ],
    [
      'a global volume beside another',
      {
        volumes: [
          { kind: 'network', name: 'a', dataCenter: 'EU-RO-1' },
          { kind: 'global', name: 'b' },
        ],
      },
      'volumes[1]',
      /nothing beside it/,
    ],
    [
      'a global volume on CPU',
      { cpu: 'cpu3g-2-8', volumes: { kind: 'global', name: 'b' } },
      'volumes',
      /needs a GPU; use a NetworkVolume/,
    ],

    ['a model without an owner', { model: 'qwen' }, 'model', /"owner\/name" or "owner\/name:revision"/],
    ['a model that leaves its folder', { model: '../..' }, 'model', /"owner\/name"/],
    ['a revision that leaves its folder', { model: 'a/b:main/../../x' }, 'model', /"owner\/name"/],
    ['a model with the separator of the cache', { model: 'a--b/c' }, 'model', /"owner\/name"/],

    ['env as a text', { env: 'A=1' }, 'env', /a list of names, or an object/],
    ['a number in env', { env: { A: 1 } }, 'env.A', /a text, or \{ secret: "name" \}/],
    [
      'a secret with more to it',
      { env: { A: { secret: 'a', value: 'b' } } },
      'env.A',
      /a text, or \{ secret: "name" \}/,
    ],
    ['a secret with blanks', { env: { A: { secret: 'a b' } } }, 'env.A', /a text, or \{ secret/],
    ['null in env', { env: { A: null } }, 'env.A', /a text, or \{ secret/],
    [
      'a reference to a secret by hand',
      { env: { A: 'x {{ RUNPOD_SECRET_hf }}' } },
      'env.A',
      /write \{ secret: "name" \}/,
    ],
    ['a number in a list of names', { env: [1] }, 'env[0]', /the name of a variable is/],
    ['a value in a list of names', { env: ['A=1'] }, 'env[0]', /a list has names only/],
    ['a name twice', { env: ['A', 'A'] }, 'env[1]', /twice/],
    ['a reserved name', { env: ['flash_key'] }, 'env[0]', /names that begin with FLASH_/, 'RESERVED_ENV'],
    [
      'a reserved literal',
      { env: { PORT: '80' } },
      'env.PORT',
      /set by the platform or by flash/,
      'RESERVED_ENV',
    ],
    [
      'a reserved secret',
      { env: { NODE_OPTIONS: { secret: 'a' } } },
      'env.NODE_OPTIONS',
      /set by the platform/,
      'RESERVED_ENV',
    ],
    [
      'the account key as a literal',
      { env: { RUNPOD_API_KEY: 'rpa_1' } },
      'env.RUNPOD_API_KEY',
      /in the manifest for everybody/,
      'RESERVED_ENV',
    ],

    ['a dependency that is a path', { dependencies: ['../lib'] }, 'dependencies[0]', /a package such as/],
    [
      'a dependency with a shell in it',
      { dependencies: ['a@1; rm -rf /'] },
      'dependencies[0]',
      /a package such as/,
    ],
    [
      'a system package with a shell in it',
      { systemDependencies: ['ffmpeg && true'] },
      'systemDependencies[0]',
      /a Debian package/,
    ],
    ['a dependency alone', { dependencies: 'sharp' }, 'dependencies', /a list, each a package/],
    ['an image with blanks', { image: 'a b' }, 'image', /an image reference/],
    ['args as a list', { args: ['a'] }, 'args', /a text is/],
    ['a port alone', { ports: ['8080'] }, 'ports[0]', /"8080\/http" or "22\/tcp"/],
    ['a port too high', { ports: ['65536/tcp'] }, 'ports[0]', /"8080\/http"/],
    ['a port over udp', { ports: ['53/udp'] }, 'ports[0]', /"8080\/http"/],
    ['a blank credential', { registryAuthId: '' }, 'registryAuthId', /the id of a registry credential/],

    ['a template that is a name', { template: 'base' }, 'template', /a PodTemplate/],
    ['a template without a kind', { template: { image: 'a' } }, 'template.kind', /"template" is/],
    [
      'a template’s start script',
      { template: { kind: 'template', startScript: 'a' } },
      'template.startScript',
      /did you mean args\?/,
      'UNKNOWN_FIELD',
    ],
    [
      'an id with more',
      { template: { kind: 'template', id: 't', env: ['A'] } },
      'template.env',
      /beside the id of a template; write it on the endpoint/,
    ],
    [
      'a template’s disk on CPU',
      { cpu: 'cpu3g-2-8', template: { kind: 'template', diskGb: 30 } },
      'diskGb',
      /more than its CPU instances/,
    ],
    [
      'a reserved name in a template',
      { template: { kind: 'template', env: { FLASH_A: '1' } } },
      'template.env.FLASH_A',
      /begin with FLASH_/,
      'RESERVED_ENV',
    ],

    ['code that is something else', { setup: 'load' }, 'setup', /a function is/],
    ['a schema that is something else', { input: {} }, 'input', /a schema is/],
    ['dev as a word', { dev: 'live' }, 'dev', /an object with target, workers and keepWarm/],
    ['a target that is none', { dev: { target: 'cloud' } }, 'dev.target', /"local", "docker" or "live" is/],
    ['no workers in dev', { dev: { workers: 0 } }, 'dev.workers', /from 1 on/],
    [
      'a misspelt field of dev',
      { dev: { tager: 'live' } },
      'dev.tager',
      /is not a field of dev; did you mean target\?/,
      'UNKNOWN_FIELD',
    ],
  ]
  for (const [what, raw, path, message, code = 'BAD_CONFIG'] of cases) {
    test(what, () => {
      const { problems } = fail(raw)
      const problem = problems.find((candidate) => candidate.path === path)
      expect(problem, JSON.stringify(problems)).toMatchObject({ message: expect.stringMatching(message) })
      if (what !== 'a blank name' && what !== 'a name of another type') expect(problem!.code).toBe(code)
      expect(problems).toHaveLength(1)
    })
  }

  test('a load-balanced endpoint without a name', () => {
    expect(fail({}, { kind: 'balanced' }).problems).toMatchObject([
      { path: 'name', code: 'BAD_NAME', message: expect.stringMatching(/has one/) },
    ])
  })

  test('a load-balanced endpoint that scales by a queue', () => {
    const { problems } = fail(
      { name: 'api', scaling: { by: 'queueDelay', seconds: 4 } },
      { kind: 'balanced' },
    )
    expect(problems).toMatchObject([{ path: 'scaling', message: expect.stringMatching(/has no queue/) }])
  })
})

describe('the error', () => {
  const at = (line: number): SourcePosition => ({ file: 'src/ocr.ts', line, column: 3 })

  test('of one problem has place, field, value, what is allowed, and the code of the problem', () => {
    const error = fail(
      { idleTimeoutSeconds: 9000 },
      { locate: (path) => (path.join() === 'idleTimeoutSeconds' ? at(7) : undefined) },
    )
    expect(error.message).toBe(
      'src/ocr.ts:7:3 idleTimeoutSeconds: 9000 is not allowed; a whole number from 1 to 3600 is',
    )
    expect(error).toMatchObject({
      code: 'BAD_CONFIG',
      at: at(7),
      hint: expect.stringMatching(/config reference/),
    })
    expect(fail({ gpuu: 1 })).toMatchObject({
      code: 'UNKNOWN_FIELD',
      message: 'gpuu is not a field; did you mean gpu?',
    })
  })

  test('of several problems lists them all', () => {
    const error = fail(
      { name: 'x', gpuCount: 0, gpuCoutn: 1, volumes: [{ kind: 'network', name: 'a', sizeGb: 1 }] },
      { locate: (path) => (path[0] === 'volumes' ? at(9) : at(1)) },
    )
    expect(error.code).toBe('BAD_CONFIG')
    expect(error.message.split('\n')).toEqual([
      '4 things in an endpoint config are not allowed:',
      '  src/ocr.ts:1:3 gpuCoutn is not a field; did you mean gpuCount?',
      '  src/ocr.ts:1:3 gpuCount: 0 is not allowed; a whole number from 1 on is',
      '  src/ocr.ts:1:3 name: "x" has 1 character; 3 to 63 are allowed',
      '  src/ocr.ts:9:3 volumes[0].sizeGb: 1 is not allowed; a whole number from 10 to 4096 is',
    ])
    expect(error.problems.map(({ path }) => path)).toEqual([
      'gpuCoutn',
      'gpuCount',
      'name',
      'volumes[0].sizeGb',
    ])
  })

  test('a field that has no place is at the place of what it belongs to', () => {
    const asked: string[] = []
    const error = fail(
      { dev: { workers: 0 } },
      {
        locate(path) {
          asked.push(path.join('.'))
          return path.length === 0 ? at(2) : undefined
        },
      },
    )
    expect(asked).toEqual(['dev.workers', 'dev', ''])
    expect(error.at).toEqual(at(2))
  })

  test('has the codes of its problems when they agree', () => {
    expect(fail({ a: 1, b: 2 }).code).toBe('UNKNOWN_FIELD')
    expect(fail({ a: 1, gpuCount: 0 }).code).toBe('BAD_CONFIG')
  })

  test('never shows a value of a variable', () => {
    for (const env of [
      'TOKEN=hush',
      ['TOKEN=hush'],
      ['hush-hush'],
      [{ hush: 1 }],
      { A: ['hush'] },
      { RUNPOD_API_KEY: 'hush' },
      { A: { secret: 'hush hush' } },
      { A: '{{ RUNPOD_SECRET_a }} hush' },
      { 'A-B': 'hush' },
    ]) {
      for (const raw of [
        { env },
        { template: { kind: 'template', env } },
        { template: { kind: 'template', id: 't', env } },
      ]) {
        const error = fail(raw)
        expect(JSON.stringify([error.message, error.problems])).not.toContain('hush')
      }
    }
  })

  test('cuts long values and gets over values that cannot be shown', () => {
    expect(fail({ image: `${'x'.repeat(500)} y` }).message.length).toBeLessThan(150)
    const circle: unknown[] = []
    circle.push(circle)
    expect(fail({ gpuCount: circle }).problems[0]!.value).toBe('a list')
    expect(fail({ gpuCount: 5n }).problems[0]!.value).toBe('a value of type bigint')
    expect(fail({ gpuCount: () => 1 }).problems[0]!.value).toBe('a value of type function')
    expect(fail({ gpuCount: Number.NaN }).problems[0]!.value).toBe('NaN')
  })
})

describe('names', () => {
  for (const name of [
    'abc',
    'receipt-ocr',
    'A.b_c-1',
    'x'.repeat(63),
    'lively',
    'dev-box',
    'dev-a-12345g',
    'flash-1',
    'console',
  ]) {
    test(`allowed: ${name}`, () => expect(checkEndpointName(name)).toBeUndefined())
  }
  for (const [name, reason] of [
    ['', /has 0 characters/],
    ['a', /has 1 character;/],
    ['x'.repeat(64), /has 64 characters/],
    ['a b', /letters, digits/],
    ['-abc', /begin and end/],
    ['abc.', /begin and end/],
    ['naïve', /letters, digits/],
    ['live-abc', /live-/],
    ['LIVE-abc', /live-/],
    ['dev-demo-hello-656931', /development sessions/],
    ['dev--abcdef', /development sessions/],
    ['flash', /look-up/],
    ['Flash', /look-up/],
    ['con', /device on Windows/],
    ['COM1', /device on Windows/],
    ['nul.txt', /device on Windows/],
    ['flash_manifest.json', /folder of the build/],
    ['App.tar.gz', /folder of the build/],
    ['.tmp-1', /begin and end/],
  ] as const) {
    test(`refused: ${JSON.stringify(name.slice(0, 20))}`, () =>
      expect(checkEndpointName(name)).toMatch(reason))
  }
})

test('every option away from its default arrives, one by one', () => {
  const options: Required<Omit<PlainEndpointConfig, 'cpu' | 'minCudaVersion' | 'template'>> = {
    name: 'every-option',
    gpu: ['NVIDIA L4', 'ADA_24'],
    gpuCount: 2,
    allowedCudaVersions: ['12.8'],
    workers: [1, 3],
    idleTimeoutSeconds: 61,
    executionTimeoutMs: 5001,
    scaling: { by: 'requestCount', requests: 2 },
    maxConcurrency: 2,
    flashboot: 'priority',
    dataCenters: ['US-KS-2', 'EU-RO-1'],
    volumes: [{ kind: 'network', name: 'v', sizeGb: 11, dataCenter: 'EU-RO-1', create: false }],
    model: 'a/b:c',
    env: { A: '1', B: { secret: 'b' } },
    dependencies: ['sharp@1.0.0'],
    systemDependencies: ['ffmpeg'],
    accelerateDownloads: false,
    image: 'owner/image:1',
    diskGb: 65,
    args: 'node main.mjs',
    ports: ['8080/http'],
    registryAuthId: 'reg',
    setup: true,
    input: true,
    output: true,
    instances: 17,
    dev: { target: 'docker', workers: 2, keepWarm: true },
  }
  expect(toEndpointConfig(parse(options))).toEqual(options)
  expect(toEndpointConfig(parse({ cpu: ['cpu5c-2-4', 'cpu3c-2-4'], diskGb: 10 }))).toMatchObject({
    cpu: ['cpu5c-2-4', 'cpu3c-2-4'],
    diskGb: 10,
  })
  expect(toEndpointConfig(parse({ minCudaVersion: '12.9' }))).toMatchObject({
    minCudaVersion: '12.9',
    allowedCudaVersions: [],
  })
  const mixed = { template: { kind: 'template', env: { A: '1' } }, env: ['B'] } as const
  expect(toEndpointConfig(parse(mixed))).toMatchObject(mixed)
  expect(toEndpointConfig(parse({ template: { kind: 'template', id: 't' } }))).toMatchObject({
    template: { kind: 'template', id: 't' },
  })
})
