/** Of the published package: what a worker tells the platform of itself. */
export const version = '0.1.0'
