export { define, register } from '@flash/worker'
export { defineApi, defineRoute, defineWeb } from '@flash/worker/balanced'
