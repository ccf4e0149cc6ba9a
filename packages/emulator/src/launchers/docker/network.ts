import type Docker from 'dockerode'
import { type Forwarder, forward } from './forward.ts'

export interface Network {
  mode: 'bridge' | 'host'
  /** Why it is not the one that was wished for. */
  note?: string
  /** How a container reaches a server that listens on a loopback URL of this machine. */
  reachable(url: string): Promise<string>
  close(): Promise<void>
}

/** Docker Desktop runs its engine in a machine of its own, where this name is the real one. */
const DESKTOP_HOST = 'host.docker.internal'

/** The network of containers: a bridge with a forwarder at its gateway, or that of this machine where there is no bridge. */
export async function openNetwork(engine: Docker, wished: 'bridge' | 'host' = 'bridge'): Promise<Network> {
  if (wished === 'host') return hostNetwork()
  const gateway = await findGateway(engine)
  return gateway === null
    ? hostNetwork('the engine has no bridge, so containers use the network of this machine')
    : bridgeNetwork(gateway)
}

function hostNetwork(note?: string): Network {
  return { mode: 'host', note, reachable: async (url) => url, close: async () => {} }
}

function bridgeNetwork(gateway: string): Network {
  const forwarders = new Map<string, Promise<Forwarder>>()
  return {
    mode: 'bridge',
    async reachable(url) {
      const inside = new URL(url)
      const target = {
        host: inside.hostname,
        port: Number(inside.port || (inside.protocol === 'https:' ? 443 : 80)),
      }
      const forwarder = forwarders.get(inside.host) ?? forward(gateway, target)
      forwarders.set(inside.host, forwarder)
      try {
        inside.port = String((await forwarder).port)
        inside.hostname = gateway
      } catch (error) {
        forwarders.delete(inside.host)
        if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error
        inside.hostname = DESKTOP_HOST
      }
      return url.endsWith('/') ? inside.href : inside.href.replace(/\/$/, '')
    },
    async close() {
      const open = await Promise.all(forwarders.values())
      await Promise.all(open.map((forwarder) => forwarder.close()))
    },
  }
}

/** Some engines leave the gateway out of what they tell; it is the first address then. */
async function findGateway(engine: Docker): Promise<string | null> {
  const bridge = await engine
    .getNetwork('bridge')
    .inspect()
    .catch(() => null)
  const config: { Subnet?: string; Gateway?: string } | undefined = bridge?.IPAM?.Config?.find(
    ({ Subnet }: { Subnet?: string }) => Subnet?.includes('.'),
  )
  return config?.Gateway ?? config?.Subnet?.replace(/\.\d+\/\d+$/, '.1') ?? null
}
