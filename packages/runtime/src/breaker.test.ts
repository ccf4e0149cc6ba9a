import { AppError, createTestClock, RemoteError } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { type BreakerState, createBreaker } from './breaker.ts'

const trouble = new AppError('TRANSPORT', { message: 'no answer' })

function setUp() {
  const clock = createTestClock()
  const onChange = vi.fn<(from: BreakerState, to: BreakerState) => void>()
  const isFailure = (error: unknown) => error === trouble
  const breaker = createBreaker({ name: 'endpoint "ocr"', isFailure, clock, onChange })
  const fail = (times = 1) =>
    Promise.all(
      Array.from({ length: times }, () => breaker.run(() => Promise.reject(trouble)).catch(() => {})),
    )
  const succeed = () => breaker.run(async () => 'fine')
  return { clock, onChange, breaker, fail, succeed }
}

describe('closed', () => {
  test('five failures in a row open it, and then nothing is sent', async () => {
    const { breaker, fail, onChange } = setUp()
    await fail(4)
    expect(breaker.state()).toBe('closed')
    await fail()
    expect(breaker.state()).toBe('open')
    const work = vi.fn()
    await expect(breaker.run(work)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      message: expect.stringMatching(/endpoint "ocr" failed .* for 60 more seconds/),
      data: { retryAfterMs: 60_000 },
      cause: trouble,
    })
    expect(work).not.toHaveBeenCalled()
    expect(onChange.mock.calls).toEqual([['closed', 'open']])
  })

  test('a success in between begins anew, and so does a minute', async () => {
    const { breaker, clock, fail, succeed } = setUp()
    await fail(4)
    await succeed()
    await fail(4)
    clock.advance(60_000)
    await fail(4)
    expect(breaker.state()).toBe('closed')
    breaker.note(trouble)
    expect(breaker.state()).toBe('open')
  })

  test('what users do wrong never counts', async () => {
    const { breaker } = setUp()
    const own = new RemoteError('FULL', 'no seats left')
    for (let time = 0; time < 10; time++) {
      await expect(breaker.run(() => Promise.reject(own))).rejects.toBe(own)
      breaker.note(own)
    }
    expect(breaker.state()).toBe('closed')
  })
})

describe('half open', () => {
  async function halfOpen() {
    const all = setUp()
    await all.fail(5)
    all.clock.advance(60_000)
    expect(all.breaker.state()).toBe('half-open')
    return all
  }

  test('of fifty calls at a time one is sent', async () => {
    const { breaker } = await halfOpen()
    let end = () => {}
    const work = vi.fn(() => new Promise<void>((resolve) => void (end = resolve)))
    const calls = Array.from({ length: 50 }, () => breaker.run(work).catch(({ code }: AppError) => code))
    expect(work).toHaveBeenCalledTimes(1)
    end()
    const answers = await Promise.all(calls)
    expect(answers.filter((answer) => answer === 'CIRCUIT_OPEN')).toHaveLength(49)
  })

  test('two that succeed close it', async () => {
    const { breaker, succeed, onChange } = await halfOpen()
    await succeed()
    expect(breaker.state()).toBe('half-open')
    await succeed()
    expect(breaker.state()).toBe('closed')
    expect(onChange.mock.calls.map(([, to]) => to)).toEqual(['open', 'half-open', 'closed'])
  })

  test('one that fails opens it for another minute', async () => {
    const { breaker, clock, fail, succeed } = await halfOpen()
    await succeed()
    await fail()
    expect(breaker.state()).toBe('open')
    clock.advance(59_999)
    expect(breaker.state()).toBe('open')
    clock.advance(1)
    await succeed()
    expect(breaker.state()).toBe('half-open')
  })

  test('a call that its user got wrong proves nothing, and lets the next one try', async () => {
    const { breaker, succeed } = await halfOpen()
    await expect(breaker.run(() => Promise.reject(new Error('too large')))).rejects.toThrow('too large')
    expect(breaker.state()).toBe('half-open')
    await succeed()
    await succeed()
    expect(breaker.state()).toBe('closed')
  })

  test('what was sent before it opened does not close it', async () => {
    const { breaker, clock, fail, succeed } = setUp()
    let end = () => {}
    const early = breaker.run(() => new Promise<void>((resolve) => void (end = resolve)))
    await fail(5)
    clock.advance(60_000)
    await succeed()
    end()
    await early
    expect(breaker.state()).toBe('half-open')
  })
})
