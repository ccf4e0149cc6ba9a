export { define, register } from '@flash/worker'
export { defineApi, defineRoute, defineSocket, defineWeb } from '@flash/worker/balanced'
