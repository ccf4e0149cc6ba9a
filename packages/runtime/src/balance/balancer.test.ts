import { expect, test, vi } from 'vitest'
import { createBalancer, type StrategyName } from './balancer.ts'

const addresses = ['a', 'b', 'c'].map((url) => ({ endpoint: 'ocr', url }))

function setUp(name: StrategyName, random = () => 0) {
  const emit = vi.fn()
  const balancer = createBalancer(name, random, emit)
  const choose = (open: string[] = []) => balancer.choose(addresses, ({ url }) => open.includes(url)).url
  return { emit, balancer, choose }
}

test('round-robin: one after the other', () => {
  const { choose } = setUp('round-robin')
  expect(Array.from({ length: 5 }, () => choose())).toEqual(['a', 'b', 'c', 'a', 'b'])
})

test('random: as chance has it', () => {
  let chance = 0
  const { choose } = setUp('random', () => chance)
  const chosen = [0, 0.34, 0.67, 0.999, 1].map((next) => {
    chance = next
    return choose()
  })
  expect(chosen).toEqual(['a', 'b', 'c', 'c', 'c'])
})

test('least-busy: where the fewest calls are on their way, and in turn where it is the same', async () => {
  const { balancer, choose } = setUp('least-busy')
  const ends: (() => void)[] = []
  const hold = (url: string) =>
    balancer.hold({ endpoint: 'ocr', url }, () => new Promise<void>((end) => void ends.push(end)))
  const held = [hold('a'), hold('a'), hold('b')]
  expect([choose(), choose()]).toEqual(['c', 'c'])
  held.push(hold('c'))
  expect([choose(), choose(), choose()]).toEqual(['b', 'c', 'b'])
  for (const end of ends) end()
  await Promise.all(held)
  expect([choose(), choose(), choose()].sort()).toEqual(['a', 'b', 'c'])
})

test('addresses that fail are spared, unless all do', () => {
  const { choose } = setUp('round-robin')
  expect([choose(['a']), choose(['a']), choose(['a'])]).toEqual(['b', 'c', 'b'])
  expect(['a', 'b', 'c']).toContain(choose(['a', 'b', 'c']))
})

test('what was chosen, and how many are on their way, is measured where there are several', async () => {
  const { emit, balancer, choose } = setUp('round-robin')
  const [first] = addresses
  expect(balancer.choose([first!], () => true)).toBe(first)
  await balancer.hold(first!, async () => {})
  expect(emit).not.toHaveBeenCalled()
  choose()
  await balancer.hold(first!, async () => {})
  const labels = { endpoint: 'ocr', address: 'a' }
  expect(emit.mock.calls).toEqual([
    ['load_balancer_selection', 1, { ...labels, strategy: 'round-robin' }],
    ['in_flight_requests', 1, labels],
    ['in_flight_requests', 0, labels],
  ])
})
