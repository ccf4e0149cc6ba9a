/** That something is over, and why. Its signal is made for those who ask: it costs more than a small answer. */
export class Ending {
  #abort: AbortController | undefined
  #reason: Error | undefined

  get isOver(): boolean {
    return this.#reason !== undefined
  }

  /** The same one each time. */
  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal
    this.#abort = new AbortController()
    if (this.#reason) this.#abort.abort(this.#reason)
    return this.#abort.signal
  }

  /** The first reason stays. */
  end(reason: Error): void {
    if (this.#reason) return
    this.#reason = reason
    this.#abort?.abort(reason)
  }
}
