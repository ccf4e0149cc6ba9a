import { type Images, type Listener, openListener, type RpcHandler, type RpcUpgrade } from '@flash/server'
import { announce } from './discover.ts'

/** The runtime's own listener, opened at the first need. */
export type Address = ReturnType<typeof createAddress>

/** What it answers with now. */
export interface AddressHost {
  host(): { rpc: RpcHandler; upgrade: RpcUpgrade }
  images: Images
}

export function createAddress(root: string, token: string, { host, images }: AddressHost) {
  let listener: Promise<Listener> | null = null
  let withdraw = () => {}
  return {
    token,
    open: () =>
      (listener ??= openListener({
        token,
        tokenPlace: '.flash/dev.json',
        rpc: (...call) => host().rpc(...call),
        upgrade: (...call) => host().upgrade(...call),
        images: images.answer,
      }).then((opened) => {
        withdraw = announce(root, { url: opened.url, token })
        return opened
      })),
    async close() {
      withdraw()
      await listener?.then((opened) => opened.close())
    },
  }
}
