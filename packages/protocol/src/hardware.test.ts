import { expect, test } from 'vitest'
import {
  CpuInstance,
  cpuDiskLimitGb,
  GpuGroup,
  GpuType,
  gpuTypesOfGroup,
  parseCpuInstance,
} from './hardware.ts'

test('every pool has its cards, and every card is in exactly one pool', () => {
  expect(Object.keys(gpuTypesOfGroup).sort()).toEqual(Object.values(GpuGroup).sort())
  expect(Object.values(gpuTypesOfGroup).flat().sort()).toEqual(Object.values(GpuType).sort())
})

for (const [instance, shape, diskGb] of [
  ['cpu3g-2-8', { flavor: 'cpu3g', vcpus: 2, ramGb: 8 }, 20],
  ['cpu3c-8-16', { flavor: 'cpu3c', vcpus: 8, ramGb: 16 }, 80],
  ['cpu5c-8-16', { flavor: 'cpu5c', vcpus: 8, ramGb: 16 }, 120],
] as const) {
  test(`a CPU instance tells its size: ${instance}`, () => {
    expect(parseCpuInstance(instance)).toEqual(shape)
    expect(cpuDiskLimitGb(shape)).toBe(diskGb)
  })
}

test('every listed CPU instance can be read', () => {
  for (const instance of Object.values(CpuInstance)) expect(parseCpuInstance(instance)).not.toBeNull()
})

for (const text of [
  '',
  'cpu3g',
  'cpu3g-2',
  'cpu3g-0-8',
  'CPU3G-2-8',
  'cpu3g-2-8 ',
  'gpu3g-2-8',
  'cpu3g-2-8-1',
]) {
  test(`not a CPU instance: ${JSON.stringify(text)}`, () => expect(parseCpuInstance(text)).toBeNull())
}
