export { define, register } from '@flash/worker'
export { defineApi, defineRoute, defineSocket, defineWeb, routeOfServer } from '@flash/worker/balanced'
