export { endpointKey } from './endpoints.ts'
export { refuseUpgrades } from './routes/app.ts'
export { createDevServer, type DevLog, type DevServer } from './server.ts'
