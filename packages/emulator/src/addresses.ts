import { writeFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { EndpointSpec } from './endpoints/types.ts'
import { createCertificate } from './tls/certificate.ts'

export interface Tls {
  key: string
  cert: string
  /** Of the authority that clients must trust; absent when the certificate was given. */
  caFile?: string
}

/** A name with two labels: clients refuse a wildcard directly below `localhost`. */
const dataName = 'data.localhost'

/** The given certificate, or a new one whose authority is written into the folder. */
export function resolveTls(
  tls: { key: string; cert: string } | boolean | undefined,
  folder: string,
): Tls | undefined {
  if (!tls) return undefined
  if (tls !== true) return tls
  const { key, cert, ca } = createCertificate(['localhost', dataName, `*.${dataName}`], ['127.0.0.1'])
  const caFile = join(folder, 'authority.pem')
  writeFileSync(caFile, ca)
  return { key, cert, caFile }
}

/** Where the emulator answers; none ends with a slash. */
export interface Addresses {
  /** `http://127.0.0.1:41234`, or with https. */
  url: string
  /** For workers, which need not trust a certificate. */
  plainUrl: string
  /** Of the queues; with https a name, below which clients look for balanced endpoints. */
  dataUrl: string
  balancedUrl(endpointId: string): string
  endpointUrl(endpoint: Pick<EndpointSpec, 'id' | 'kind'>): string
}

export function createAddresses(host: string, port: number, tls: Tls | undefined): Addresses {
  // What listens everywhere is reached here.
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const place = `${isIPv6(name) ? `[${name}]` : name}:${port}`
  const plainUrl = `http://${place}`
  const dataUrl = tls ? `https://${dataName}:${port}` : plainUrl
  const balancedUrl = (id: string) => (tls ? `https://${id}.${dataName}:${port}` : `${plainUrl}/lb/${id}`)
  return {
    url: tls ? `https://${place}` : plainUrl,
    plainUrl,
    dataUrl,
    balancedUrl,
    endpointUrl: ({ id, kind }) => (kind === 'queue' ? `${dataUrl}/v2/${id}` : balancedUrl(id)),
  }
}

/** Variables by which a client finds the emulator instead of the platform. */
export function toClientEnv(
  { url, dataUrl }: Addresses,
  apiKey: string,
  tls: Tls | undefined,
): Record<string, string> {
  return {
    RUNPOD_API_KEY: apiKey,
    RUNPOD_API_BASE_URL: url,
    RUNPOD_ENDPOINT_BASE_URL: `${dataUrl}/v2`,
    RUNPOD_REST_API_URL: `${url}/v1`,
    RUNPOD_HAPI_URL: url,
    RUNPOD_CONSOLE_URL: url,
    ...(tls?.caFile !== undefined && { NODE_EXTRA_CA_CERTS: tls.caFile, SSL_CERT_FILE: tls.caFile }),
  }
}
