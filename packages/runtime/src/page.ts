/** What code of a page needs, and nothing that only servers have. */
export { bindRoute, bindSocket, bindWeb } from './balanced/bind.ts'
export { noClient } from './no-client.ts'
export { bindClass, bindStub } from './stub.ts'
