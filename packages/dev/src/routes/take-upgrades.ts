import type { Server } from 'node:net'
import { giveBackRest, offersWebSocket } from '@flash/server'
import { belowPrefix } from './app.ts'
import type { Upgrade } from './upgrade.ts'

/**
 * Opens the WebSockets below the prefix on the app's own server.
 *
 * As soon as anybody listens for upgrades, Node answers no request any more that offers one, and some clients offer one with
 * each request. So what nobody takes is answered as if it had offered nothing: what is below the prefix and no WebSocket, and
 * everything else as long as nobody else listens.
 */
export function takeUpgrades(server: Server, prefix: string, upgrade: Upgrade): void {
  const take: Upgrade = (request, socket, head) => {
    const isOurs = belowPrefix(request, prefix) !== null
    if (isOurs && offersWebSocket(request.headers.upgrade ?? '')) upgrade(request, socket, head)
    else giveBackRest(request, socket, head, isOurs)
  }
  server.on('upgrade', take)
}
