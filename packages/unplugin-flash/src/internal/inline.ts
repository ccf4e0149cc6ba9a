export { serveInline } from '@flash/worker'
