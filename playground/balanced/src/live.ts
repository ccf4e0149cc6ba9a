import { live } from './api/images.ts'

/** Follows what the worker says about itself, from one press of the button to the next. */
export function listen(button: HTMLElement, place: HTMLElement): void {
  let stop: AbortController | null = null
  const follow = async ({ signal }: AbortController) => {
    for await (const { pictures, bytes, worker } of await live({ signal }))
      place.textContent = `Process ${worker} has made ${pictures} ${pictures === 1 ? 'picture' : 'pictures'}, ${bytes} bytes in all`
  }
  const end = (why: string) => {
    stop = null
    button.ariaPressed = 'false'
    place.textContent = why
  }
  button.addEventListener('click', () => {
    if (stop) return stop.abort()
    const own = (stop = new AbortController())
    button.ariaPressed = 'true'
    place.textContent = 'Connecting …'
    follow(own).then(
      () => end('The worker has ended the stream'),
      (error: Error) => end(own.signal.aborted ? 'Not connected' : error.message),
    )
  })
}
