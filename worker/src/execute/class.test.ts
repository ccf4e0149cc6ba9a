import { expect, test, vi } from 'vitest'
import { createInstances, findMethod, methodsOf } from './class.ts'

class Base {
  inherited() {
    return 'base'
  }
  hidden() {}
  overridden() {}
}

class Model extends Base {
  static make() {}
  field = () => {}
  own() {}
  async later() {}
  override overridden() {}
  _private() {}
  #really() {}
  use() {
    this.#really()
  }
  // @ts-expect-error an accessor hides the method it overrides
  override get hidden() {
    return () => {}
  }
  [Symbol.iterator]() {}
  // oxlint-disable-next-line unicorn/no-thenable -- users may write one
  then() {}
  toJSON() {}
}

test('public methods, own and inherited, and nothing else', () => {
  expect([...methodsOf(Model).keys()]).toEqual(['own', 'later', 'overridden', 'use', 'inherited'])
  expect(findMethod(Model, 'inherited').call(new Model())).toBe('base')
})

for (const name of [
  'toString',
  'hasOwnProperty',
  '__proto__',
  'constructor',
  'then',
  'toJSON',
  '_private',
  'field',
  'make',
  'hidden',
  'nothing',
]) {
  test(`"${name}" cannot be called`, () => {
    expect(() => findMethod(Model, name)).toThrow(
      expect.objectContaining({ code: 'BAD_INPUT', message: `class Model has no public method "${name}"` }),
    )
  })
}

test('a class without methods says so', () => {
  // oxlint-disable-next-line typescript/no-extraneous-class -- users may write one
  expect(() => findMethod(class {}, 'any')).toThrow(
    expect.objectContaining({
      message: 'class without a name has no public method "any"',
      hint: expect.stringContaining('does not begin with _'),
    }),
  )
})

function setUp() {
  const disposed: string[] = []
  const report = vi.fn()
  class Thing {
    constructor(readonly name: string) {
      if (name === 'bad') throw new Error('cannot be made')
    }
    dispose() {
      disposed.push(this.name)
      if (this.name === 'stuck') throw new Error('stuck')
    }
  }
  const instances = createInstances(report)
  const get = (name: string, Class: typeof Thing = Thing, limit = 2) =>
    instances.acquire({ id: 'id', Class, key: name, limit, args: [name] })
  return { disposed, report, Thing, instances, get }
}

test('instances in use are never disposed, even above the limit', () => {
  const { disposed, get } = setUp()
  const holds = ['a', 'b', 'c'].map((name) => get(name))
  expect(disposed).toEqual([])
  holds[1]!.release()
  expect(disposed).toEqual(['b'])
  holds[0]!.release()
  holds[0]!.release()
  expect(disposed).toEqual(['b'])
  const again = get('a')
  expect(again.instance).toBe(holds[0]!.instance)
})

test('a constructor that throws leaves nothing behind', () => {
  const { get, disposed, instances } = setUp()
  expect(() => get('bad')).toThrow('cannot be made')
  expect(() => get('bad')).toThrow('cannot be made')
  get('a').release()
  return instances.close().then(() => expect(disposed).toEqual(['a']))
})

test('a class that replaces another retires its instances: idle ones now, others when they are released', () => {
  const { disposed, get, Thing } = setUp()
  get('idle').release()
  const busy = get('busy')
  class Newer extends Thing {}
  const newer = get('busy', Newer)
  expect(newer.instance).toBeInstanceOf(Newer)
  expect(newer.instance).not.toBe(busy.instance)
  expect(disposed).toEqual(['idle'])
  busy.release()
  expect(disposed).toEqual(['idle', 'busy'])
})

test('close disposes what is idle, and reports what cannot be', async () => {
  const { disposed, report, get, instances } = setUp()
  get('stuck').release()
  const busy = get('busy')
  await instances.close()
  expect(disposed).toEqual(['stuck'])
  expect(report).toHaveBeenCalledWith(expect.objectContaining({ message: 'stuck' }))
  busy.release()
  expect(disposed).toEqual(['stuck', 'busy'])
})
