/** The other end of the control channel: reports CPU time, and ends when it is told to or when nobody listens any more. */
export function answerParent(ready: unknown, stop: () => Promise<void> = async () => {}): void {
  const end = () => void stop().finally(() => process.exit())
  process.on('disconnect', end)
  process.on('message', (message) => {
    if (message === 'cpu') tellParent('cpu', cpuMicroseconds())
    if (message === 'stop') end()
  })
  tellParent('ready', ready)
}

export function tellParent(kind: 'ready' | 'cpu' | 'said', data: unknown): void {
  process.send?.({ kind, data })
}

export function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** What this program was started with. */
export function readInput<Input>(): Input {
  return JSON.parse(process.argv[2]!) as Input
}
