export { appApi, appRoute } from '@flash/worker/app'
