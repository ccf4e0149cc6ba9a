export { define } from '@flash/worker'
