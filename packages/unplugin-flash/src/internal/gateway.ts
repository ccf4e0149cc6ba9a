import { bindHandler, bindServer } from '@flash/server'

export { bindHandler, bindServer }
