/** Where a worker's container has the folder of its endpoint: `main.mjs` and what lies beside it. */
export const bundleFolder = '/flash/bundle'

/**
 * Images that run a bundle, for endpoints of both kinds. A tag is version, Node major and kind, and never moves.
 *
 * They are made from `docker/`; where they are not to be had, an equivalent of the local Node stands in.
 */
export const workerImages = {
  cpu: 'unplugin-flash-worker:0.1.0-node24-cpu',
  gpu: 'unplugin-flash-worker:0.1.0-node24-gpu',
} as const
