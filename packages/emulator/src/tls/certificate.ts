import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import {
  bits,
  flag,
  identifier,
  integer,
  numbered,
  octets,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

/** Texts in PEM. */
export interface ServerCertificate {
  key: string
  /** Of the server. */
  cert: string
  /** Of the authority that signed it; its key is nowhere any more. */
  ca: string
}

interface Party {
  name: string
  publicKey: Buffer
  privateKey: KeyObject
}

const DAY_MS = 86_400_000
const VALID_DAYS = 90

const signature = sequence(identifier('1.2.840.10045.4.3.2'))

/**
 * A certificate for a server of this machine, and a throw-away authority that signed it.
 *
 * - `names`: DNS names, a `*` as their first label included. `addresses`: IPv4.
 */
export function createCertificate(names: string[], addresses: string[]): ServerCertificate {
  const authority = createParty('unplugin-flash emulator authority')
  const server = createParty('unplugin-flash emulator')
  const authorityId = keyIdOf(authority)
  const ca = certify(authority, authority, [
    extension('2.5.29.19', sequence(flag(true)), true),
    // It signs certificates, and nothing else.
    extension('2.5.29.15', bits(Buffer.of(0x04), 2), true),
    extension('2.5.29.14', octets(authorityId)),
  ])
  const cert = certify(server, authority, [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bits(Buffer.of(0x80), 7), true),
    extension('2.5.29.37', sequence(identifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.14', octets(keyIdOf(server))),
    extension('2.5.29.35', sequence(tagged(0x80, authorityId))),
    extension('2.5.29.17', sequence(...names.map(toName), ...addresses.map(toAddress))),
  ])
  return { key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert, ca }
}

function createParty(name: string): Party {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return { name, privateKey, publicKey: publicKey.export({ type: 'spki', format: 'der' }) }
}

function certify(subject: Party, issuer: Party, extensions: Buffer[]): string {
  // Others compare it with the real time, whatever the emulator's clock says.
  const now = Date.now()
  const body = sequence(
    numbered(0, integer(Buffer.of(2))),
    integer(randomBytes(15)),
    signature,
    toSubject(issuer.name),
    sequence(time(now - DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    toSubject(subject.name),
    subject.publicKey,
    numbered(3, sequence(...extensions)),
  )
  const signed = sequence(body, signature, bits(sign('sha256', body, issuer.privateKey)))
  const lines = signed.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(identifier(id), ...(isCritical ? [flag(true)] : []), octets(value))
}

function toSubject(name: string): Buffer {
  return sequence(set(sequence(identifier('2.5.4.3'), utf8(name))))
}

function toName(name: string): Buffer {
  return tagged(0x82, Buffer.from(name))
}

function toAddress(address: string): Buffer {
  return tagged(0x87, Buffer.from(address.split('.').map(Number)))
}

function keyIdOf({ publicKey }: Party): Buffer {
  return createHash('sha1').update(publicKey).digest()
}
