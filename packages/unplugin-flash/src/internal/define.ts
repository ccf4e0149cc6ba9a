export { define, register } from '@flash/worker'
