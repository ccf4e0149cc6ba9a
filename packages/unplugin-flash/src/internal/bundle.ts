export { startBundle } from '@flash/worker/bundle'
