export { buildBaseImage, describeBaseImage, offlineBase } from './base-image.ts'
export { createDockerLauncher } from './docker.ts'
export { connectEngine } from './docker/engine.ts'
