export { local } from '@flash/worker'
