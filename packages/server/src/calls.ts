/** The stubs that code of one endpoint's bundle has of another one. Each is apart: a bundle carries what its own ones need. */
export type { CalledFunction } from './calls/away.ts'
export { serverClass, serverStub } from './calls/functions.ts'
export { serverRoute } from './calls/routes.ts'
export { serverSocket, serverWeb } from './calls/sockets.ts'
