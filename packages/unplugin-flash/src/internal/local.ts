export { local, localApi, localRoute, localWeb } from '@flash/worker'
